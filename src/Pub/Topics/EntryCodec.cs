using System.Buffers.Text;
using System.Text.Json;
using System.Text.Unicode;
using Pub.Storage;

namespace Pub.Topics;

/// <summary>An entry's bytes to an entry and back (docs/documents.md, messages). Messages are written by <see cref="MessageEncoder"/> and <see cref="EntryWriter"/>.</summary>
internal static class EntryCodec
{
    /// <summary>The format version that this program writes, and the highest that it reads.</summary>
    public const int Version = 1;

    /// <summary>The most characters in a writer's or an append's id.</summary>
    public const int MaxIdLength = 64;

    /// <summary>The most bytes before the first message.</summary>
    public const int EnvelopeBytes = 256;

    /// <summary>Bytes behind the last message.</summary>
    public const int FooterBytes = 2;

    public static ReadOnlySpan<byte> Footer => "]}"u8;

    /// <summary>
    /// Reads an entry. What is damaged is <see cref="Entry.Undecodable"/>, never an exception.
    /// </summary>
    /// <exception cref="FormatVersionException">
    /// A newer program wrote it. That is no damage: the reader must stop here and not set the entry aside, since a newer program can read it.
    /// </exception>
    public static Entry Decode(ReadOnlyMemory<byte> content)
    {
        try
        {
            // The reader leaves the inside of strings unchecked.
            return Utf8.IsValid(content.Span)
                ? new EntryReader(content).Read()
                : Entry.Undecodable(content, new DocumentFormatException("The entry is no valid UTF-8."));
        }
        catch (FormatVersionException)
        {
            throw;
        }
        catch (DocumentFormatException exception)
        {
            return Entry.Undecodable(content, exception);
        }
        catch (JsonException exception)
        {
            return Entry.Undecodable(content, new DocumentFormatException("The entry is no valid JSON.", exception));
        }
    }

    /// <summary>A tombstone: closes its slot for ever.</summary>
    public static byte[] EncodeTombstone(string writer, string appendId, long written)
    {
        Span<byte> buffer = stackalloc byte[EnvelopeBytes + 16];
        var length = WriteOwner(buffer, new EntryHeader(writer, appendId, written));
        return [.. buffer[..length], .. ",\"closed\":true}"u8];
    }

    /// <summary>Reads only who wrote the entry. False if it does not say.</summary>
    public static bool TryReadOwner(ReadOnlySpan<byte> content, out string writer, out string appendId)
    {
        writer = appendId = "";
        try
        {
            var reader = new Utf8JsonReader(content);
            return reader.Read() && reader.TokenType == JsonTokenType.StartObject && TryReadOwner(ref reader, ref writer, ref appendId);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Writes what stands before the first message and answers its length.</summary>
    internal static int WriteHeader(Span<byte> target, in EntryHeader header)
    {
        var length = WriteOwner(target, header);
        ",\"m\":["u8.CopyTo(target[length..]);
        return length + 6;
    }

    private static bool TryReadOwner(ref Utf8JsonReader reader, ref string writer, ref string appendId)
    {
        var found = 0;
        while (found < 2 && reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isWriter = reader.ValueTextEquals("w"u8);
            var isAppendId = reader.ValueTextEquals("a"u8);
            reader.Read();
            if ((isWriter || isAppendId) && reader.TokenType == JsonTokenType.String)
            {
                found++;
                (isWriter ? ref writer : ref appendId) = JsonText.ReadString(ref reader);
            }

            reader.Skip();
        }

        return found == 2;
    }

    private static int WriteOwner(Span<byte> target, in EntryHeader header)
    {
        CheckId(header.Writer);
        CheckId(header.AppendId);
        var json = new MessageJson(target);
        json.Property("{\"v\":"u8, Version);
        json.Property(",\"w\":"u8, header.Writer);
        json.Property(",\"a\":"u8, header.AppendId);
        json.Property(",\"t\":"u8, header.Written);
        return json.Length;
    }

    // Ours, and so short ASCII: the envelope's size rests on it.
    private static void CheckId(string id)
    {
        if (id.Length > MaxIdLength || id.AsSpan().ContainsAnyExceptInRange('!', '~') || id.AsSpan().ContainsAny('"', '\\'))
        {
            throw new ArgumentException($"'{id}' is no id of a writer or an append: up to {MaxIdLength} visible ASCII characters.", nameof(id));
        }
    }
}

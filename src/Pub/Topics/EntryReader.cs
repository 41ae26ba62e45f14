using System.Buffers.Text;
using System.Text.Json;

namespace Pub.Topics;

/// <summary>Reads one entry. Fields may stand in any order and unknown ones are passed over, so that later versions can add some.</summary>
internal readonly ref struct EntryReader(ReadOnlyMemory<byte> content)
{
    private static readonly long MinTime = DateTimeOffset.MinValue.ToUnixTimeMilliseconds();
    private static readonly long MaxTime = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    /// <exception cref="FormatVersionException">A newer program wrote it.</exception>
    /// <exception cref="DocumentFormatException">It is no entry.</exception>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public Entry Read()
    {
        var reader = new Utf8JsonReader(content.Span);
        Require(reader.Read() && reader.TokenType == JsonTokenType.StartObject, "The entry is no JSON object.");
        var (version, written) = (0L, long.MinValue);
        string? writer = null, appendId = null;
        Message[]? messages = null;
        var closed = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            switch (Name(ref reader))
            {
                case 'v': version = CheckVersion(Number(ref reader)); break;
                case 'w': writer = Text(ref reader); break;
                case 'a': appendId = Text(ref reader); break;
                case 't': written = Time(ref reader); break;
                case 'm': messages = Messages(ref reader); break;
                case 'C': closed = reader.TokenType == JsonTokenType.True; break;
                default: reader.Skip(); break;
            }
        }

        Require(!reader.Read(), "The entry has something behind its end.");
        Require(version == EntryCodec.Version && writer is not null && appendId is not null && written != long.MinValue, "The entry lacks a field.");
        Require(closed == (messages is null), "The entry is neither a tombstone nor has it messages.");
        var header = new EntryHeader(writer!, appendId!, written);
        return closed ? Entry.Tombstone(content, header) : Entry.WithMessages(content, header, messages!);
    }

    private static long CheckVersion(long version) =>
        version <= EntryCodec.Version ? version : throw new FormatVersionException("An entry", (int)Math.Min(version, int.MaxValue), EntryCodec.Version);

    private Message[] Messages(ref Utf8JsonReader reader)
    {
        Require(reader.TokenType == JsonTokenType.StartArray, "The entry's messages are no array.");
        var messages = new List<Message>(EstimateCount());
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            messages.Add(ReadMessage(ref reader));
        }

        Require(messages.Count > 0, "The entry has no message.");
        return [.. messages];
    }

    private int EstimateCount() => Math.Clamp(content.Length / 256, 1, EntryWriter.MaxMessages);

    private Message ReadMessage(ref Utf8JsonReader reader)
    {
        Require(reader.TokenType == JsonTokenType.StartObject, "A message is no object.");
        var parts = new MessageParts { ContentType = OutgoingMessage.DefaultContentType, Sent = long.MinValue, BodySize = -1 };
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            switch (Name(ref reader))
            {
                case 'i': parts.Id = Text(ref reader); break;
                case 'k': parts.Key = Text(ref reader); break;
                case 'y': parts.Type = Shared(ref reader); break;
                case 'c': parts.ContentType = Shared(ref reader); break;
                case 'h': parts.Headers = Headers(ref reader); break;
                case 's': parts.Sent = Time(ref reader); break;
                case 'x': parts.Expires = Time(ref reader); break;
                case 'b': RawBody(ref reader, ref parts); break;
                case 'e': Base64Body(ref reader, ref parts); break;
                default: reader.Skip(); break;
            }
        }

        Require(parts.Id is not null && parts.Sent != long.MinValue && parts.BodySize >= 0, "A message lacks a field.");
        return new Message(parts);
    }

    private void RawBody(ref Utf8JsonReader reader, ref MessageParts parts)
    {
        Require(parts.BodySize < 0 && reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray, "A body is no object or array, or not the only one.");
        parts.Body = Slice(ref reader);
        parts.BodySize = parts.Body.Length;
    }

    private void Base64Body(ref Utf8JsonReader reader, ref MessageParts parts)
    {
        Require(parts.BodySize < 0 && reader.TokenType == JsonTokenType.String && !reader.ValueIsEscaped, "A body is no plain string, or not the only one.");
        var start = (int)reader.TokenStartIndex + 1;
        parts.Body = content.Slice(start, reader.ValueSpan.Length);
        Require(Base64.IsValid(parts.Body.Span, out var size), "A body is no base64.");
        parts.BodySize = size;
        parts.IsBase64 = true;
    }

    private ReadOnlyMemory<byte> Headers(ref Utf8JsonReader reader)
    {
        Require(reader.TokenType == JsonTokenType.StartObject, "Headers are no object.");
        var start = (int)reader.TokenStartIndex;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            reader.Read();
            Require(reader.TokenType == JsonTokenType.String, "A header is no string.");
        }

        return content[start..(int)reader.BytesConsumed];
    }

    private ReadOnlyMemory<byte> Slice(ref Utf8JsonReader reader)
    {
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return content[start..(int)reader.BytesConsumed];
    }

    // All names but one have one letter; 'C' stands for "closed" and 0 for what this program does not know. Moves on to the value.
    private static char Name(ref Utf8JsonReader reader)
    {
        var name = reader.ValueSpan;
        var letter = name.Length == 1 ? (char)name[0] : name.SequenceEqual("closed"u8) ? 'C' : '\0';
        Require(reader.Read(), "The entry ends early.");
        return letter == 'C' && name.Length == 1 ? '\0' : letter;
    }

    private static string Text(ref Utf8JsonReader reader)
    {
        Require(reader.TokenType == JsonTokenType.String, "A text field is no string.");
        return JsonText.ReadString(ref reader);
    }

    private static string Shared(ref Utf8JsonReader reader)
    {
        Require(reader.TokenType == JsonTokenType.String, "A text field is no string.");
        return reader.ValueIsEscaped ? JsonText.ReadString(ref reader) : StringCache.Shared.Get(reader.ValueSpan);
    }

    private static long Number(ref Utf8JsonReader reader)
    {
        var number = 0L;
        Require(reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out number), "A number field is no whole number.");
        return number;
    }

    private static long Time(ref Utf8JsonReader reader)
    {
        var time = Number(ref reader);
        Require(time >= MinTime && time <= MaxTime, "A time is outside the calendar.");
        return time;
    }

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new DocumentFormatException(otherwise);
        }
    }
}

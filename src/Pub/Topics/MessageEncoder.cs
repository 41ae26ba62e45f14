using System.Buffers;
using System.Buffers.Text;

namespace Pub.Topics;

/// <summary>Writes one message as it stands in an entry (docs/documents.md, messages).</summary>
internal static class MessageEncoder
{
    // Names, numbers and punctuation around the parts of one message take less.
    private const int FrameBytes = 160;

    /// <summary>Encodes a message; gives it an id and a time where it has none.</summary>
    /// <param name="message">The message. It is read now, and not kept.</param>
    /// <param name="runtime">Where id and time come from.</param>
    /// <param name="maxDocumentBytes">The most that the store takes for an entry.</param>
    /// <exception cref="MessageTooLargeException">An entry with this message alone is larger than that.</exception>
    /// <exception cref="ArgumentException">A header's value is null.</exception>
    public static EncodedMessage Encode(OutgoingMessage message, PubRuntime runtime, int maxDocumentBytes)
    {
        ArgumentNullException.ThrowIfNull(message);
        var body = message.Body.Span;
        var contentType = message.ContentType ?? OutgoingMessage.DefaultContentType;
        var isRaw = BodyCheck.IsJson(contentType) && BodyCheck.IsEmbeddable(body);
        var bodyBytes = isRaw ? body.Length : (body.Length + 2L) / 3 * 4;
        CheckSize(bodyBytes, maxDocumentBytes);

        var id = message.Id ?? runtime.NewId();
        var buffer = ArrayPool<byte>.Shared.Rent(checked((int)(FrameBytes + bodyBytes + TextBytes(message, id, contentType))));
        try
        {
            var sent = message.Sent?.ToUnixTimeMilliseconds() ?? runtime.UnixMilliseconds;
            var writer = new MessageJson(buffer);
            writer.Property("{\"i\":"u8, id);
            WriteProperties(ref writer, message, contentType);
            writer.Property(",\"s\":"u8, sent);
            if (Expires(sent, message.TimeToLive) is { } expires)
            {
                writer.Property(",\"x\":"u8, expires);
            }

            writer.Body(body, isRaw);
            CheckSize(writer.Length, maxDocumentBytes);
            return new EncodedMessage(id, message.Key, buffer.AsSpan(0, writer.Length).ToArray());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void WriteProperties(ref MessageJson writer, OutgoingMessage message, string contentType)
    {
        if (message.Key is { } key)
        {
            writer.Property(",\"k\":"u8, key);
        }

        if (message.Type is { } type)
        {
            writer.Property(",\"y\":"u8, type);
        }

        if (contentType != OutgoingMessage.DefaultContentType)
        {
            writer.Property(",\"c\":"u8, contentType);
        }

        if (message.Headers is { Count: > 0 } headers)
        {
            writer.Headers(headers);
        }
    }

    private static void CheckSize(long bytes, int maxDocumentBytes)
    {
        var needed = bytes + EntryCodec.EnvelopeBytes + EntryCodec.FooterBytes;
        if (needed > maxDocumentBytes)
        {
            throw new MessageTooLargeException(
                $"The message takes {needed} bytes as stored; the limit is {maxDocumentBytes}.", (int)Math.Min(needed, int.MaxValue), maxDocumentBytes);
        }
    }

    // What is past the calendar is for ever.
    private static long? Expires(long sent, TimeSpan? timeToLive)
    {
        if (timeToLive is not { } duration)
        {
            return null;
        }

        var expires = sent + (long)Math.Ceiling(duration.TotalMilliseconds);
        return expires <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() ? expires : null;
    }

    private static long TextBytes(OutgoingMessage message, string id, string contentType)
    {
        var chars = (long)id.Length + (message.Key?.Length ?? 0) + (message.Type?.Length ?? 0) + contentType.Length;
        var frames = 0;
        foreach (var (name, value) in message.Headers ?? System.Collections.ObjectModel.ReadOnlyDictionary<string, string>.Empty)
        {
            chars += name.Length + (value ?? throw new ArgumentException($"The header '{name}' has no value.", nameof(message))).Length;
            frames += 6;
        }

        return (chars * JsonText.MaxBytesPerChar) + frames;
    }
}

/// <summary>Writes the parts of a message into a buffer that is large enough.</summary>
internal ref struct MessageJson(Span<byte> buffer)
{
    private readonly Span<byte> _buffer = buffer;

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    public void Property(ReadOnlySpan<byte> name, string value)
    {
        Raw(name);
        Text(value);
    }

    public void Property(ReadOnlySpan<byte> name, long value)
    {
        Raw(name);
        Utf8Formatter.TryFormat(value, _buffer[Length..], out var written);
        Length += written;
    }

    public void Headers(IReadOnlyDictionary<string, string> headers)
    {
        var before = ",\"h\":{"u8;
        foreach (var (name, value) in headers)
        {
            Raw(before);
            Text(name);
            Raw(":"u8);
            Text(value);
            before = ","u8;
        }

        Raw("}"u8);
    }

    public void Body(ReadOnlySpan<byte> body, bool isRaw)
    {
        if (isRaw)
        {
            Raw(",\"b\":"u8);
            Raw(body);
            Raw("}"u8);
            return;
        }

        Raw(",\"e\":\""u8);
        Base64.EncodeToUtf8(body, _buffer[Length..], out _, out var written);
        Length += written;
        Raw("\"}"u8);
    }

    private void Text(string value) => Length += JsonText.WriteString(_buffer[Length..], value);

    private void Raw(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_buffer[Length..]);
        Length += bytes.Length;
    }
}

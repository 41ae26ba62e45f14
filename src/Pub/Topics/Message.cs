using System.Buffers.Text;
using System.Collections.ObjectModel;
using System.Text.Json;
using Pub.Topics;

namespace Pub;

/// <summary>A message as a consumer gets it. One instance is shared by all subscriptions of a process; nothing in it changes.</summary>
/// <remarks>
/// Body and headers are slices of the entry's bytes, made into what people read when they are first asked for. Two threads that ask at once
/// may both make it; both get the same content.
/// </remarks>
public sealed class Message
{
    private readonly ReadOnlyMemory<byte> _stored;
    private readonly ReadOnlyMemory<byte> _storedHeaders;
    private readonly bool _isBase64;
    private readonly long _sent;
    private readonly long? _expires;
    private byte[]? _decoded;
    private IReadOnlyDictionary<string, string>? _headers;

    internal Message(in MessageParts parts)
    {
        Id = parts.Id;
        Key = parts.Key;
        Type = parts.Type;
        ContentType = parts.ContentType;
        Size = parts.BodySize;
        _stored = parts.Body;
        _isBase64 = parts.IsBase64;
        _storedHeaders = parts.Headers;
        _sent = parts.Sent;
        _expires = parts.Expires;
    }

    /// <summary>The id that the publisher gave, or that its producer made.</summary>
    public string Id { get; }

    /// <summary>The ordering key, if there is one.</summary>
    public string? Key { get; }

    /// <summary>What the body is, in the application's words.</summary>
    public string? Type { get; }

    /// <summary>The media type of the body.</summary>
    public string ContentType { get; }

    /// <summary>More about the message; empty if the publisher gave none. Names are compared exactly.</summary>
    public IReadOnlyDictionary<string, string> Headers => _headers ??= ReadHeaders();

    /// <summary>When the message was sent, by the publisher's clock.</summary>
    public DateTimeOffset Sent => DateTimeOffset.FromUnixTimeMilliseconds(_sent);

    /// <summary>When the message is no longer worth delivering, by the publisher's clock. Null: never.</summary>
    public DateTimeOffset? Expires => _expires is { } expires ? DateTimeOffset.FromUnixTimeMilliseconds(expires) : null;

    /// <summary>The body: the very bytes that were published.</summary>
    public ReadOnlyMemory<byte> Body => _isBase64 ? _decoded ??= DecodeBody() : _stored;

    /// <summary>Bytes in <see cref="Body"/>.</summary>
    public int Size { get; }

    /// <summary><see cref="Sent"/> as Unix time in milliseconds.</summary>
    internal long SentMilliseconds => _sent;

    /// <summary><see cref="Expires"/> as Unix time in milliseconds.</summary>
    internal long? ExpiresMilliseconds => _expires;

    /// <summary>The message to be published again elsewhere: a redelivery, a dead letter, a requeue. Everything is kept but what is given.</summary>
    /// <param name="headers">The headers it gets. Null: its own.</param>
    /// <param name="expires">Whether it still expires when it would have.</param>
    internal OutgoingMessage ToOutgoing(IReadOnlyDictionary<string, string>? headers = null, bool expires = true) => new()
    {
        Id = Id,
        Key = Key,
        Type = Type,
        ContentType = ContentType,
        Headers = headers ?? Headers,
        Body = Body,
        Sent = Sent,
        TimeToLive = expires && _expires is { } end ? TimeSpan.FromMilliseconds(Math.Max(1, end - _sent)) : null,
    };

    /// <summary>Whether there can be a header of that ASCII name; cheap, and wrong only in saying yes.</summary>
    internal bool MayHaveHeader(ReadOnlySpan<byte> name) => _storedHeaders.Span.IndexOf(name) >= 0;

    private byte[] DecodeBody()
    {
        var body = new byte[Size];
        Base64.DecodeFromUtf8(_stored.Span, body, out _, out _);
        return body;
    }

    private IReadOnlyDictionary<string, string> ReadHeaders()
    {
        if (_storedHeaders.IsEmpty)
        {
            return ReadOnlyDictionary<string, string>.Empty;
        }

        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        var reader = new Utf8JsonReader(_storedHeaders.Span);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = JsonText.ReadString(ref reader);
            reader.Read();
            headers[name] = JsonText.ReadString(ref reader);
        }

        return headers;
    }
}

/// <summary>What the codec found of one message.</summary>
internal ref struct MessageParts
{
    public string Id;
    public string? Key;
    public string? Type;
    public string ContentType;
    public ReadOnlyMemory<byte> Headers;
    public long Sent;
    public long? Expires;
    public ReadOnlyMemory<byte> Body;
    public bool IsBase64;
    public int BodySize;
}

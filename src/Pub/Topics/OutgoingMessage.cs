namespace Pub;

/// <summary>A message to publish.</summary>
/// <remarks>Id, key, type, content type and headers may be any strings, lone surrogates included: consumers get them unchanged.</remarks>
public sealed class OutgoingMessage
{
    /// <summary>What a message is when it does not say otherwise.</summary>
    public const string DefaultContentType = "application/json";

    private readonly TimeSpan? _timeToLive;

    /// <summary>The message's id, for people and for consumers that want to notice repetition. Null: the producer makes one of 24 hexadecimal digits.</summary>
    public string? Id { get; init; }

    /// <summary>
    /// The ordering key: its hash picks the shard, so messages with one key keep their order and are handled one after another. Null: any shard, no order.
    /// </summary>
    public string? Key { get; init; }

    /// <summary>What the body is, in the application's words. Null: not said.</summary>
    public string? Type { get; init; }

    /// <summary>The media type of the body. Default <see cref="DefaultContentType"/>.</summary>
    public string ContentType { get; init; } = DefaultContentType;

    /// <summary>More about the message. Null or empty: nothing. No value may be null.</summary>
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    /// <summary>The body: any bytes, which consumers get back exactly. A JSON object or array under a JSON content type takes the least room.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>How long after <see cref="Sent"/> the message is worth delivering; more than zero. Null: for ever.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Zero or negative.</exception>
    public TimeSpan? TimeToLive
    {
        get => _timeToLive;
        init => _timeToLive = value is null || value > TimeSpan.Zero
            ? value
            : throw new ArgumentOutOfRangeException(nameof(TimeToLive), value, "A time to live is more than zero.");
    }

    /// <summary>When the message was sent, to the millisecond. Null: when the producer takes it.</summary>
    public DateTimeOffset? Sent { get; init; }
}

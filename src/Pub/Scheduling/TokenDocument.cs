using System.Text.Json.Serialization;
using Pub.Storage;
using Pub.Topics;

namespace Pub.Scheduling;

/// <summary>How far a message that can be cancelled has come.</summary>
internal enum TokenState
{
    /// <summary>Waits for its time; may be cancelled or replaced.</summary>
    Pending,

    /// <summary>Goes to the recorded slot, whoever puts it there.</summary>
    Moving,

    /// <summary>Is never delivered; the message is dropped from the document.</summary>
    Cancelled,
}

/// <summary>
/// A message that can be cancelled, as stored under its token (docs/documents.md, "schedules"). Changed by CAS only.
/// <code>
/// pending → moving → (another slot) → removed;  pending → cancelled → removed or scheduled again;  pending → another schedule
/// a slot is recorded here before the entry is put into it (executions.md 19)
/// </code>
/// </summary>
internal sealed record TokenDocument
{
    public static readonly DocumentFormat<TokenDocument> Format = new("scheduled message", 1, TokenFormatContext.Default.TokenDocument);

    /// <summary>The full token, which the key may have shortened.</summary>
    public required string Token { get; init; }

    /// <summary>Which scheduling of the token this is; also the append id of the entry that it becomes.</summary>
    public required string Schedule { get; init; }

    public TokenState State { get; init; }

    /// <summary>When to publish, Unix milliseconds.</summary>
    public long Due { get; init; }

    /// <summary>Where to.</summary>
    public string? Target { get; init; }

    /// <summary>An entry with the one message, as a bucket would hold it.</summary>
    public byte[]? Entry { get; init; }

    /// <summary>The slot's shard, while moving.</summary>
    public int Shard { get; init; }

    /// <summary>The slot, while moving.</summary>
    public long Offset { get; init; }

    public TokenDocument MovingTo(ShardId shard, Offset offset) => this with { State = TokenState.Moving, Shard = shard.Number, Offset = offset.Value };

    public TokenDocument AsCancelled() => this with { State = TokenState.Cancelled, Entry = null, Target = null };
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(TokenDocument))]
internal sealed partial class TokenFormatContext : JsonSerializerContext;

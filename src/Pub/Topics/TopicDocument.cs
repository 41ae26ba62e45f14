using System.Text.Json.Serialization;
using Pub.Storage;

namespace Pub.Topics;

/// <summary>
/// One part of a topic as stored (docs/documents.md, "offsets"): up to 16 shards. Its arrays have one element a shard and are never changed.
/// Tails move by increment at <see cref="TailPath"/>, everything else by CAS.
/// <code>
/// tails[i] falls only by a failover; heads[i] and removed[i] never fall; removed[i] ≤ heads[i] ≤ tails[i] + 1
/// part 0 exists ⇒ all parts exist; shards and settings of part 0 count for all
/// </code>
/// </summary>
internal sealed record TopicDocument
{
    public static readonly DocumentFormat<TopicDocument> Format = new("topic", 1, TopicFormatContext.Default.TopicDocument);

    /// <summary>The topic's full name, which the key may have shortened.</summary>
    public required string Name { get; init; }

    public int Part { get; init; }

    /// <summary>Shards of the whole topic.</summary>
    public int Shards { get; init; }

    public required TopicSettingsFormat Settings { get; init; }

    /// <summary>Whether the topic belongs to a temporary endpoint.</summary>
    public bool Temporary { get; init; }

    /// <summary>Unix milliseconds of the creation, by the creator's clock.</summary>
    public long Created { get; init; }

    /// <summary>The last offsets handed out, each in the life that its upper bits name.</summary>
    public required long[] Tails { get; init; }

    /// <summary>Below them a slot counts for nothing.</summary>
    public required long[] Heads { get; init; }

    /// <summary>The next offsets to remove.</summary>
    public required long[] Removed { get; init; }

    /// <summary>For each shard the half-open ranges [from, to] that were never handed out; left out when there are none at all.</summary>
    public long[][][]? Jumps { get; init; }

    /// <summary>
    /// For each shard that was added later [the shard that had its keys, the offset up to which that one must be settled, or 0 while that is not known];
    /// null for others; left out when there are none at all.
    /// </summary>
    public long[]?[]? Fences { get; init; }

    public static CounterPath TailPath(int shard) => new("tails", shard % DocumentKeys.ShardsPerDocument);

    public static int PartCount(int shards) => Math.Max(1, shards / DocumentKeys.ShardsPerDocument);

    public static TopicDocument Create(TopicName topic, int part, TopicSettings settings, bool isTemporary, long nowMilliseconds)
    {
        var count = Math.Min(settings.Shards, DocumentKeys.ShardsPerDocument);
        return new TopicDocument
        {
            Name = topic.ToString(),
            Part = part,
            Shards = settings.Shards,
            Settings = TopicSettingsFormat.From(settings),
            Temporary = isTemporary,
            Created = nowMilliseconds,
            Tails = new long[count],
            Heads = Ones(count),
            Removed = Ones(count),
        };
    }

    /// <summary>Null for a missing document.</summary>
    /// <exception cref="DocumentFormatException">It is damaged, of a newer format, or another topic's.</exception>
    public static TopicDocument? Read(TopicName topic, int part, StoredDocument stored)
    {
        var key = DocumentKeys.Topic(topic, part);
        if (Format.Read(key, stored) is not { } document)
        {
            return null;
        }

        var count = Math.Min(document.Shards, DocumentKeys.ShardsPerDocument);
        var isWhole = document.Name == topic.ToString()
            && document.Part == part
            && document.Shards is >= 1 and <= TopicSettings.MaxShards
            && int.IsPow2(document.Shards)
            && document.Tails.Length == count
            && document.Heads.Length == count
            && document.Removed.Length == count
            && (document.Jumps is null || (document.Jumps.Length == count && document.Jumps.All(IsAscending)))
            && (document.Fences is null || document.Fences.Length == count);
        return isWhole
            ? document
            : throw new DocumentFormatException($"The topic document {key} is not that of {topic}, part {part}, or its numbers do not fit together.");
    }

    public ReadOnlyMemory<byte> Write() => Format.Write(this);

    public ShardState State(int index) =>
        new(new Offset(Tails[index]), new Offset(Heads[index]), new Offset(Removed[index]), Jumps is null ? [] : [.. Jumps[index].Select(ToRange)])
        {
            Fence = Fences?[index] is [var shard, var until] ? new ShardFence((int)shard, new Offset(until)) : null,
        };

    private static OffsetRange ToRange(long[] jump) => new(new Offset(jump[0]), new Offset(jump[1]));

    private static bool IsAscending(long[][] jumps)
    {
        var last = 0L;
        foreach (var jump in jumps)
        {
            if (jump.Length != 2 || jump[0] < last || jump[1] <= jump[0])
            {
                return false;
            }

            last = jump[1];
        }

        return true;
    }

    private static long[] Ones(int count)
    {
        var ones = new long[count];
        Array.Fill(ones, 1);
        return ones;
    }
}

/// <summary>A topic's settings as stored; the number of shards stands in the document itself.</summary>
internal sealed record TopicSettingsFormat
{
    public Retention Retention { get; init; }

    public long? RetentionMs { get; init; }

    public static TopicSettingsFormat From(TopicSettings settings) =>
        new() { Retention = settings.Retention, RetentionMs = (long?)settings.RetentionTime?.TotalMilliseconds };

    public TopicSettings ToSettings(int shards) => new()
    {
        Shards = shards,
        Retention = Retention,
        RetentionTime = RetentionMs is { } milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null,
    };
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(TopicDocument))]
internal sealed partial class TopicFormatContext : JsonSerializerContext;

using System.Text.Json.Serialization;
using Pub.Storage;

namespace Pub.Topology;

/// <summary>
/// The record of a subscription (docs/documents.md, "topology"). Written before the topics list it.
/// <code>
/// a topic that is in the record never leaves it, and its starts never change, while the incarnation is the same
/// deleted stays deleted for the incarnation
/// </code>
/// </summary>
internal sealed record SubscriptionDocument
{
    public static readonly DocumentFormat<SubscriptionDocument> Format = new("subscription", 1, TopologyContext.Default.SubscriptionDocument);

    public required string Name { get; init; }

    public required string Incarnation { get; init; }

    public required int Leases { get; init; }

    /// <summary>Unix time in milliseconds, for people.</summary>
    public long Created { get; init; }

    /// <summary>The session that a temporary subscription lives with.</summary>
    public string? Session { get; init; }

    /// <summary>Counts the edits of its cursors from outside: a holder that sees more than it knew looks at its cursor.</summary>
    public long Edits { get; init; }

    /// <summary>Removed for everybody; kept until its cursors are gone.</summary>
    public bool Deleted { get; init; }

    /// <summary>
    /// With <see cref="Deleted"/>: by shard of the own queue the life of its log that ends with this incarnation, so that a deletion that comes late does
    /// not end the next one's.
    /// </summary>
    public IReadOnlyList<long>? OwnLives { get; init; }

    /// <summary>Ascending by topic.</summary>
    public required IReadOnlyList<SubscribedTopic> Topics { get; init; }

    public SubscribedTopic? Find(string topic)
    {
        foreach (var line in Topics)
        {
            if (line.Topic == topic)
            {
                return line;
            }
        }

        return null;
    }

    /// <summary>The record with topics added; what it has already is left as it is, except that a topic read by a flow can become a declared one.</summary>
    public SubscriptionDocument With(IEnumerable<SubscribedTopic> added)
    {
        var lines = Topics.ToDictionary(line => line.Topic);
        foreach (var line in added)
        {
            lines[line.Topic] = !lines.TryGetValue(line.Topic, out var known) ? line : line.ByFlow ? known : known with { ByFlow = false };
        }

        return this with { Topics = [.. lines.Values.OrderBy(line => line.Topic, StringComparer.Ordinal)] };
    }
}

/// <summary>A topic in a subscription's record.</summary>
internal sealed record SubscribedTopic
{
    public required string Topic { get; init; }

    /// <summary>Per shard [offset, index]; shards beyond start at their first entry.</summary>
    public IReadOnlyList<long[]> Starts { get; init; } = [];

    /// <summary>Not declared itself: read because it flowed into a declared topic when the record was written.</summary>
    public bool ByFlow { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(SubscriptionDocument))]
[JsonSerializable(typeof(TopicTopologyDocument))]
[JsonSerializable(typeof(ChangesDocument))]
internal sealed partial class TopologyContext : JsonSerializerContext;

using System.Text.Json.Serialization;
using Pub.Storage;

namespace Pub.Topology;

/// <summary>
/// The topology of one topic (docs/documents.md, "topology"): who declares it, what it flows into, what flows into it.
/// <code>
/// a flow never goes, and its starts never change
/// a reader goes only when its incarnation has been deleted
/// </code>
/// </summary>
internal sealed record TopicTopologyDocument
{
    public static readonly DocumentFormat<TopicTopologyDocument> Format = new("topology", 1, TopologyContext.Default.TopicTopologyDocument);

    public required string Name { get; init; }

    /// <summary>Who declares this topic, in the order they came.</summary>
    public IReadOnlyList<TopicReader> Readers { get; init; } = [];

    /// <summary>The topics whose readers read this one too.</summary>
    public IReadOnlyList<string> Into { get; init; } = [];

    /// <summary>The topics that this one's readers read too, and from where.</summary>
    public IReadOnlyList<TopicFlow> From { get; init; } = [];

    public static TopicTopologyDocument Empty(TopicName topic) => new() { Name = topic.ToString() };

    /// <summary>With the reader added, or null if it is listed.</summary>
    public TopicTopologyDocument? WithReader(TopicReader reader) => Readers.Contains(reader) ? null : this with { Readers = [.. Readers, reader] };

    /// <summary>Without the reader, or null if it is not listed.</summary>
    public TopicTopologyDocument? WithoutReader(TopicReader reader) =>
        Readers.Contains(reader) ? this with { Readers = [.. Readers.Where(other => other != reader)] } : null;

    public TopicTopologyDocument? WithInto(string topic) => Into.Contains(topic) ? null : this with { Into = [.. Into, topic] };

    public TopicTopologyDocument? WithFrom(TopicFlow flow) => FindFlow(flow.Topic) is null ? this with { From = [.. From, flow] } : null;

    public TopicFlow? FindFlow(string topic)
    {
        foreach (var flow in From)
        {
            if (flow.Topic == topic)
            {
                return flow;
            }
        }

        return null;
    }
}

/// <summary>One incarnation of a subscription that declares a topic.</summary>
internal sealed record TopicReader
{
    [JsonPropertyName("s")]
    public required string Subscription { get; init; }

    [JsonPropertyName("i")]
    public required string Incarnation { get; init; }
}

/// <summary>A topic that flows in, with the positions where the flow began: the tails read before it was recorded.</summary>
internal sealed record TopicFlow
{
    public required string Topic { get; init; }

    /// <summary>Per shard [offset, index]; shards beyond start at their first entry.</summary>
    public IReadOnlyList<long[]> Starts { get; init; } = [];
}

/// <summary>Incremented after every change that running readers can see.</summary>
internal sealed record ChangesDocument
{
    public static readonly DocumentFormat<ChangesDocument> Format = new("changes", 1, TopologyContext.Default.ChangesDocument);

    public static readonly CounterPath Counter = new("n");

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public long N { get; init; }
}

namespace MassTransit.PubTransport.Topology;

/// <summary>
/// Gathers the flows of published types: "what is published to <c>From</c> reaches the readers of <c>Into</c>". In the order of the walk, each once.
/// </summary>
internal sealed class PublishFlowBuilder
{
    private readonly List<(string From, string Into)> _flows;
    private readonly HashSet<(string From, string Into)> _seen;
    private readonly List<string> _topics;
    private readonly string? _below;

    public PublishFlowBuilder()
        : this([], [], [], null)
    {
    }

    private PublishFlowBuilder(List<(string From, string Into)> flows, HashSet<(string From, string Into)> seen, List<string> topics, string? below)
    {
        _flows = flows;
        _seen = seen;
        _topics = topics;
        _below = below;
    }

    public IReadOnlyList<(string From, string Into)> Flows => _flows;

    /// <summary>The topics that were met, in the order of the walk.</summary>
    public IReadOnlyList<string> Topics => _topics;

    /// <summary>Notes the topic, and the flow into it from the type below.</summary>
    /// <returns>The builder for the types that it implements.</returns>
    public PublishFlowBuilder Add(string topic)
    {
        if (!_topics.Contains(topic))
        {
            _topics.Add(topic);
        }

        if (_below is not null && _below != topic && _seen.Add((_below, topic)))
        {
            _flows.Add((_below, topic));
        }

        return new PublishFlowBuilder(_flows, _seen, _topics, topic);
    }
}

using Pub;

namespace MassTransit.PubTransport.Topology;

/// <summary>The topics that an endpoint reads, and where a new endpoint begins each; null leaves that to the endpoint's own setting.</summary>
internal sealed class PubConsumeTopology : ConsumeTopology
{
    private const int MaxQueueNameLength = 150;
    private readonly IMessageTopology _messageTopology;
    private readonly Dictionary<string, StartAt?> _topics = new(StringComparer.Ordinal);
    private readonly List<string> _order = [];

    public PubConsumeTopology(IMessageTopology messageTopology)
        : base(MaxQueueNameLength) => _messageTopology = messageTopology;

    /// <summary>In the order of subscribing.</summary>
    public IReadOnlyList<(string Topic, StartAt? Start)> Topics => [.. _order.Select(topic => (topic, _topics[topic]))];

    public new PubMessageConsumeTopology<T> GetMessageTopology<T>()
        where T : class => (PubMessageConsumeTopology<T>)base.GetMessageTopology<T>();

    public void Subscribe(string topic, StartAt? start = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(topic);
        if (_topics.TryAdd(topic, start))
        {
            _order.Add(topic);
        }
        else if (start is not null)
        {
            _topics[topic] = start;
        }
    }

    protected override IMessageConsumeTopologyConfigurator CreateMessageTopology<T>()
    {
        var topology = new PubMessageConsumeTopology<T>(this, _messageTopology.GetMessageTopology<T>());
        OnMessageTopologyCreated(topology);
        return topology;
    }
}

using MassTransit.PubTransport.Topology;
using Pub;

namespace MassTransit.PubTransport;

/// <summary>
/// The flows that a publish relies on. Recorded before the first message, so that who reads an implemented type gets also the first (facts, 1.6, late flows).
/// <code>
/// once recorded, done for this transport; who fails leaves it to the next publish
/// </code>
/// </summary>
internal sealed class PublishFlows
{
    private readonly (TopicName From, TopicName Into)[] _flows;
    private volatile bool _areRecorded;

    public PublishFlows(string virtualHost, PublishFlowBuilder builder)
    {
        _flows = [.. builder.Flows.Select(flow => (EntityNames.Topic(virtualHost, flow.From), EntityNames.Topic(virtualHost, flow.Into)))];
        _areRecorded = _flows.Length == 0;
    }

    /// <summary>Two that come at once both record; that is the same as once.</summary>
    public ValueTask EnsureAsync(PubClient client, CancellationToken cancellationToken) =>
        _areRecorded ? default : new ValueTask(RecordAsync(client, cancellationToken));

    private async Task RecordAsync(PubClient client, CancellationToken cancellationToken)
    {
        foreach (var (from, into) in _flows)
        {
            await client.Core.Registry.RecordFlowAsync(from, into, cancellationToken);
        }

        _areRecorded = true;
    }
}

using MassTransit.Metadata;
using MassTransit.Topology;

namespace MassTransit.PubTransport.Topology;

/// <summary>The publish topology of a bus: one topic per message type, and flows between those of related types.</summary>
internal sealed class PubPublishTopology : PublishTopology
{
    private readonly IMessageTopology _messageTopology;

    public PubPublishTopology(IMessageTopology messageTopology) => _messageTopology = messageTopology;

    public new PubMessagePublishTopology<T> GetMessageTopology<T>()
        where T : class => (PubMessagePublishTopology<T>)base.GetMessageTopology<T>();

    /// <summary>The flows of all message types that are known so far.</summary>
    public PublishFlowBuilder BuildAll()
    {
        var builder = new PublishFlowBuilder();
        ForEachMessageType<IPubMessagePublishTopology>(topology => topology.Apply(builder));
        return builder;
    }

    protected override IMessagePublishTopologyConfigurator CreateMessageTopology<T>()
    {
        var topology = new PubMessagePublishTopology<T>(this, _messageTopology.GetMessageTopology<T>());
        ImplementedMessageTypeCache<T>.EnumerateImplementedTypes(new ImplementedTypes<T>(this, topology));
        OnMessageTopologyCreated(topology);
        return topology;
    }

    private sealed class ImplementedTypes<TMessage>(PubPublishTopology topology, PubMessagePublishTopology<TMessage> message) : IImplementedMessageType
        where TMessage : class
    {
        public void ImplementsMessageType<T>(bool direct)
            where T : class
        {
            var implemented = topology.GetMessageTopology<T>();
            if (direct)
            {
                message.AddImplemented(implemented);
            }
        }
    }
}

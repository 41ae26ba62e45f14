using System.Diagnostics.CodeAnalysis;
using MassTransit.Topology;

namespace MassTransit.PubTransport.Topology;

/// <summary>Publishing <typeparamref name="TMessage"/> appends to the topic of its entity name, once.</summary>
internal sealed class PubMessagePublishTopology<TMessage> :
    MessagePublishTopology<TMessage>,
    IPubMessagePublishTopology
    where TMessage : class
{
    private readonly IMessageTopology<TMessage> _messageTopology;
    private readonly List<IPubMessagePublishTopology> _implemented = [];

    public PubMessagePublishTopology(IPublishTopology publishTopology, IMessageTopology<TMessage> messageTopology)
        : base(publishTopology)
    {
        _messageTopology = messageTopology;
    }

    public string EntityName => _messageTopology.EntityName;

    public void Apply(PublishFlowBuilder builder)
    {
        if (Exclude)
        {
            return;
        }

        var above = builder.Add(EntityName);
        foreach (var implemented in _implemented)
        {
            implemented.Apply(above);
        }
    }

    public override bool TryGetPublishAddress(Uri baseAddress, [NotNullWhen(true)] out Uri? publishAddress)
    {
        publishAddress = new PubEndpointAddress(baseAddress, EntityName, isTopic: true);
        return true;
    }

    public void AddImplemented(IPubMessagePublishTopology topology) => _implemented.Add(topology);
}

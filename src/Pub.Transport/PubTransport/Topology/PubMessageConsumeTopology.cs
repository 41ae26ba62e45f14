using MassTransit.Topology;
using Pub;

namespace MassTransit.PubTransport.Topology;

/// <summary>How an endpoint reads the topic of one message type.</summary>
internal sealed class PubMessageConsumeTopology<TMessage> : MessageConsumeTopology<TMessage>
    where TMessage : class
{
    private readonly PubConsumeTopology _topology;
    private readonly IMessageTopology<TMessage> _messageTopology;
    private bool _isInvalid;

    public PubMessageConsumeTopology(PubConsumeTopology topology, IMessageTopology<TMessage> messageTopology)
    {
        _topology = topology;
        _messageTopology = messageTopology;
    }

    public void Subscribe(StartAt? start = null)
    {
        if (IsBindableMessageType)
        {
            _topology.Subscribe(_messageTopology.EntityName, start);
        }
        else
        {
            _isInvalid = true;
        }
    }

    public override IEnumerable<ValidationResult> Validate()
    {
        foreach (var result in base.Validate())
        {
            yield return result;
        }

        if (_isInvalid)
        {
            yield return this.Failure(TypeCache<TMessage>.ShortName, "is no message type that can be subscribed to");
        }
    }
}

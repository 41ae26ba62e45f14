using MassTransit.Configuration;
using MassTransit.PubTransport.Topology;
using MassTransit.Topology;

namespace MassTransit.PubTransport.Configuration;

/// <summary>Message, send and publish topologies are the bus's; each endpoint has a consume topology of its own.</summary>
internal sealed class PubTopologyConfiguration : IPubTopologyConfiguration
{
    private readonly IMessageTopologyConfigurator _messageTopology;
    private readonly ISendTopologyConfigurator _sendTopology;

    public PubTopologyConfiguration(IMessageTopologyConfigurator messageTopology)
    {
        _messageTopology = messageTopology;
        _sendTopology = new SendTopology();
        _sendTopology.ConnectSendTopologyConfigurationObserver(new DelegateSendTopologyConfigurationObserver(GlobalTopology.Send));
        _sendTopology.TryAddConvention(new RoutingKeySendTopologyConvention());
        _sendTopology.TryAddConvention(new PartitionKeySendTopologyConvention());
        Publish = new PubPublishTopology(messageTopology);
        Publish.ConnectPublishTopologyConfigurationObserver(new DelegatePublishTopologyConfigurationObserver(GlobalTopology.Publish));
        Publish.ConnectPublishTopologyConfigurationObserver(new PublishToSendTopologyConfigurationObserver(_sendTopology));
        Consume = new PubConsumeTopology(messageTopology);
    }

    public PubTopologyConfiguration(IPubTopologyConfiguration parent)
    {
        _messageTopology = parent.Message;
        _sendTopology = parent.Send;
        Publish = parent.Publish;
        Consume = new PubConsumeTopology(_messageTopology);
    }

    public PubPublishTopology Publish { get; }

    public PubConsumeTopology Consume { get; }

    IMessageTopologyConfigurator ITopologyConfiguration.Message => _messageTopology;

    ISendTopologyConfigurator ITopologyConfiguration.Send => _sendTopology;

    IPublishTopologyConfigurator ITopologyConfiguration.Publish => Publish;

    IConsumeTopologyConfigurator ITopologyConfiguration.Consume => Consume;

    public IEnumerable<ValidationResult> Validate() => _sendTopology.Validate().Concat(Publish.Validate()).Concat(Consume.Validate());
}

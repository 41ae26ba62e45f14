using MassTransit.PubTransport.Topology;
using MassTransit.Transports;

namespace MassTransit.PubTransport;

internal sealed class PubPublishTransportProvider(PubReceiveEndpointContext context) : IPublishTransportProvider
{
    public Task<ISendTransport> GetPublishTransport<T>(Uri? publishAddress)
        where T : class
    {
        LogContext.SetCurrentIfNull(context.Host.LogContext);
        var topology = context.Host.TopologyConfiguration.Publish.GetMessageTopology<T>();
        TransportLogMessages.CreateSendTransport(publishAddress!);
        var builder = new PublishFlowBuilder();
        topology.Apply(builder);
        var virtualHost = context.Host.Settings.Address.VirtualHost;
        var transport = new SendTransport<ClientContext>(
            new PubSendTransportContext(context, EntityNames.Topic(virtualHost, topology.EntityName), topology.EntityName)
            {
                Flows = new PublishFlows(virtualHost, builder),
            });
        context.AddSendAgent(transport);
        return Task.FromResult<ISendTransport>(transport);
    }
}

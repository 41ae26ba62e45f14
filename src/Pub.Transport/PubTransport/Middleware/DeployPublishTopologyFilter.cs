using MassTransit.PubTransport.Topology;

namespace MassTransit.PubTransport.Middleware;

/// <summary>Makes the topics of all published types that are known, and records their flows, when the bus starts.</summary>
internal sealed class DeployPublishTopologyFilter(PubReceiveEndpointContext context) : IFilter<ClientContext>
{
    public async Task Send(ClientContext clientContext, IPipe<ClientContext> next)
    {
        var builder = context.Host.TopologyConfiguration.Publish.BuildAll();
        var virtualHost = context.Host.Settings.Address.VirtualHost;
        foreach (var topic in builder.Topics)
        {
            await clientContext.Client.Core.Directory.GetOrCreateAsync(
                EntityNames.Topic(virtualHost, topic), cancellationToken: clientContext.CancellationToken);
        }

        await new PublishFlows(virtualHost, builder).EnsureAsync(clientContext.Client, clientContext.CancellationToken);
        await next.Send(clientContext);
    }

    public void Probe(ProbeContext probeContext) => probeContext.CreateFilterScope("pubDeployPublishTopology");
}

using Pub;
using Pub.Topology;

namespace MassTransit.PubTransport.Middleware;

/// <summary>Makes an endpoint's subscription and queue without reading them: for a bus that deploys its topology only (facts, 1.4, 6).</summary>
internal sealed class DeclareSubscriptionFilter(PubReceiveEndpointContext context) : IFilter<ClientContext>
{
    public async Task Send(ClientContext clientContext, IPipe<ClientContext> next)
    {
        if (!context.Settings.IsTemporary)
        {
            var options = new ConsumerOptions();
            context.Apply(options);
            var declaration = new SubscriptionDeclaration(context.Subscription)
            {
                Topics = [.. options.Topics.Select(source => new DeclaredTopic(source.Topic, source.Start))],
            };
            await clientContext.Client.Core.Registry.DeclareAsync(declaration, clientContext.CancellationToken);
        }

        await next.Send(clientContext);
    }

    public void Probe(ProbeContext probeContext) => probeContext.CreateFilterScope("pubDeclare");
}

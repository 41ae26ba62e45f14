using MassTransit.Transports;

namespace MassTransit.PubTransport.Middleware;

/// <summary>Subscribes, receives until the endpoint stops, and gives the subscription's leases up.</summary>
internal sealed class PubConsumerFilter(PubReceiveEndpointContext context) : IFilter<ClientContext>
{
    public async Task Send(ClientContext clientContext, IPipe<ClientContext> next)
    {
        if (context.Settings.PurgeOnStartup)
        {
            await PurgeAsync(clientContext);
        }

        var consumer = await clientContext.Client.SubscribeAsync(context.Subscription, context.Apply, clientContext.CancellationToken);
        var receiver = new PubMessageReceiver(clientContext, consumer, context);
        context.AddConsumeAgent(receiver);
        await receiver.Ready;
        await context.TransportObservers.NotifyReady(context.InputAddress);
        var health = new EndpointHealth(context, clientContext, consumer).RunAsync(receiver.Stopping);
        try
        {
            await receiver.Completed;
        }
        finally
        {
            await health;
            await context.TransportObservers.NotifyCompleted(context.InputAddress, receiver);
            context.LogConsumerCompleted(receiver.DeliveryCount, receiver.ConcurrentDeliveryCount);
        }
    }

    public void Probe(ProbeContext probeContext) => probeContext.CreateFilterScope("pubConsumer");

    private async Task PurgeAsync(ClientContext clientContext)
    {
        var registry = clientContext.Client.Core.Registry;
        if (await registry.FindAsync(context.Subscription, clientContext.CancellationToken) is not null)
        {
            await clientContext.Client.Controller.PurgeAsync(context.Subscription, clientContext.CancellationToken);
            PubTransportLog.PurgeDone(context.InputAddress);
        }
    }
}

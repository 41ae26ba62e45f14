using MassTransit.Transports;

namespace MassTransit.PubTransport;

/// <summary>
/// Tells MassTransit when a running endpoint cannot work, and when it can again. The core goes on trying by itself; without this, nobody would see that it has to.
/// <code>
/// told: ready, then faulted and ready in turn; nothing after the endpoint began to stop
/// </code>
/// Owned by one loop.
/// </summary>
internal sealed class EndpointHealth(PubReceiveEndpointContext context, ClientContext client, Pub.Consumer consumer)
{
    private bool _isFaulted;

    public async Task RunAsync(CancellationToken stopping)
    {
        var store = context.Host.StoreHealth;
        try
        {
            while (true)
            {
                await Task.Delay(store.Interval, client.Client.Core.Time, stopping);
                await TellAsync(await store.FindFaultAsync(client.Client) ?? consumer.Faults.FirstOrDefault(), stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // stopped
        }
        catch (Exception e)
        {
            LogContext.Warning?.Log(e, "The health of {InputAddress} is not watched any more", context.InputAddress);
        }
    }

    private async Task TellAsync(Exception? fault, CancellationToken stopping)
    {
        if (stopping.IsCancellationRequested || (fault is not null) == _isFaulted)
        {
            return;
        }

        _isFaulted = fault is not null;
        if (fault is not null)
        {
            LogContext.Warning?.Log(fault, "Endpoint cannot work: {InputAddress}", context.InputAddress);
            await context.TransportObservers.NotifyFaulted(context.InputAddress, PubExceptions.Convert(fault, "The endpoint waits for the store: "));
        }
        else
        {
            LogContext.Info?.Log("Endpoint works again: {InputAddress}", context.InputAddress);
            await context.TransportObservers.NotifyReady(context.InputAddress);
        }
    }
}

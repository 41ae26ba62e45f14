using MassTransit.Internals;
using MassTransit.PubTransport.Configuration;
using MassTransit.Transports;
using Pub;

namespace MassTransit.PubTransport;

/// <summary>
/// Hands an endpoint's deliveries to its receive pipe.
/// <code>
/// every delivery is settled when its dispatch has ended
/// stopping takes nothing new, waits for what is in flight, and gives the leases up last
/// </code>
/// The key of a dispatch is the number of arrival, which no two deliveries share: a second delivery of a message is never taken for a copy of the first
/// (facts, 1.4, 2).
/// </summary>
internal sealed class PubMessageReceiver : ConsumerAgent<long>
{
    private readonly ClientContext _client;
    private readonly Pub.Consumer _consumer;
    private readonly PubReceiveEndpointContext _context;

    public PubMessageReceiver(ClientContext client, Pub.Consumer consumer, PubReceiveEndpointContext context)
        : base(context)
    {
        _client = client;
        _consumer = consumer;
        _context = context;
        TrySetConsumeTask(context.Settings.DispatchKeyRuns ? RunByKeysAsync() : consumer.RunAsync(HandleAsync, Stopping));
        SetReady();
    }

    protected override async Task ActiveAndActualAgentsCompleted(StopContext context)
    {
        await base.ActiveAndActualAgentsCompleted(context);
        try
        {
            await _consumer.StopAsync().OrCanceled(context.CancellationToken);
            if (_context.Settings.IsTemporary)
            {
                await _client.Client.Controller.DeleteAsync(_consumer.Subscription, context.CancellationToken);
            }
        }
        catch (Exception e) when (e is PubException or OperationCanceledException or ObjectDisposedException)
        {
            PubTransportLog.RemoveFailed(_context.InputAddress, e);
        }
    }

    private async Task RunByKeysAsync()
    {
        using var runs = new KeyRuns(_consumer, ConsumerSetup.ConcurrencyOf(_context.PrefetchCount, _context.ConcurrentMessageLimit), HandleAsync);
        await runs.RunAsync(Stopping);
    }

    private async Task HandleAsync(Delivery delivery, CancellationToken cancelled)
    {
        LogContext.Current = _context.LogContext;
        var receiveLock = new PubReceiveLockContext(delivery, _context.InputAddress, _context.Settings.UnlockDelay);
        var receiveContext = new PubReceiveContext(delivery, _context, _client, receiveLock);
        var registration = cancelled.Register(receiveContext.Cancel);
        try
        {
            await Dispatch(delivery.ArrivalNumber, receiveContext, receiveLock);
        }
        catch (Exception e)
        {
            receiveContext.LogTransportFaulted(e);
            await receiveLock.Faulted(e);
        }
        finally
        {
            await registration.DisposeAsync();
            receiveContext.Dispose();
        }
    }
}

using MassTransit.Transports;
using Pub;

namespace MassTransit.PubTransport;

/// <summary>Settles one delivery when MassTransit is done with it. Settling is in memory: nothing here waits for the cursor (facts, 1.6).</summary>
internal sealed class PubReceiveLockContext(Delivery delivery, Uri inputAddress, TimeSpan unlockDelay) : ReceiveLockContext
{
    public Task Complete()
    {
        if (!delivery.IsSettled && !delivery.Ack())
        {
            PubTransportLog.LeaseLost(inputAddress, delivery.Message.Id);
        }

        return Task.CompletedTask;
    }

    /// <summary>Never throws (facts, 1.4, 4): what cannot be written elsewhere was returned where it is.</summary>
    public async Task Faulted(Exception exception)
    {
        try
        {
            if (delivery.IsSettled)
            {
                return;
            }

            // What was cancelled was not tried: it comes back at once, with the next holder.
            await delivery.NackAsync(delivery.Cancelled.IsCancellationRequested ? TimeSpan.Zero : unlockDelay);
        }
        catch (Exception e)
        {
            PubTransportLog.SettleFailed(inputAddress, delivery.Message.Id, e);
        }
    }

    public Task ValidateLockStatus() => delivery.Cancelled.IsCancellationRequested
        ? throw new TransportException(inputAddress, $"The lease of message {delivery.Message.Id} was lost before it was consumed; it will be delivered again.")
        : Task.CompletedTask;
}

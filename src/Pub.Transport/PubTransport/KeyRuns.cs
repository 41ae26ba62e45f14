using Pub;

namespace MassTransit.PubTransport;

/// <summary>
/// Dispatches what waits of one key together, where a handler per message would wait for the batch that it is part of: one message after another, each
/// for the batch's time limit (facts, 1.6).
/// <code>
/// at most as many deliveries are in flight as there are slots
/// of a key nothing is taken while anything of it is in flight
/// </code>
/// </summary>
internal sealed class KeyRuns : IDisposable
{
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(10);
    private readonly Pub.Consumer _consumer;
    private readonly int _concurrency;
    private readonly Func<Delivery, CancellationToken, Task> _handler;
    private readonly SemaphoreSlim _slots;

    public KeyRuns(Pub.Consumer consumer, int concurrency, Func<Delivery, CancellationToken, Task> handler)
    {
        _consumer = consumer;
        _concurrency = concurrency;
        _handler = handler;
        _slots = new SemaphoreSlim(concurrency);
    }

    /// <summary>Ends when stopping, or when the consumer is stopped; waits for what is in flight.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        await Task.Yield();
        try
        {
            while (true)
            {
                await TakeAsync(stopping);
            }
        }
        catch (Exception e) when ((e is OperationCanceledException && stopping.IsCancellationRequested) || e is ObjectDisposedException)
        {
            // stopped
        }

        for (var slot = 0; slot < _concurrency; slot++)
        {
            await _slots.WaitAsync(CancellationToken.None);
        }
    }

    public void Dispose() => _slots.Dispose();

    private async Task TakeAsync(CancellationToken stopping)
    {
        await _slots.WaitAsync(stopping);
        var free = 1;
        while (_slots.Wait(0, CancellationToken.None))
        {
            free++;
        }

        IReadOnlyList<Delivery> deliveries = [];
        try
        {
            deliveries = await _consumer.PullAsync(free, Wait, stopping);
        }
        finally
        {
            if (free > deliveries.Count)
            {
                _slots.Release(free - deliveries.Count);
            }
        }

        foreach (var delivery in deliveries)
        {
            _ = HandleAsync(delivery);
        }
    }

    /// <summary>Away from the loop, also while the handler has not awaited anything yet.</summary>
    private async Task HandleAsync(Delivery delivery)
    {
        await Task.Yield();
        try
        {
            await _handler(delivery, delivery.Cancelled);
        }
        finally
        {
            if (!delivery.IsSettled)
            {
                delivery.Nack();
            }

            _slots.Release();
        }
    }
}

using System.Runtime.CompilerServices;
using Pub.Leases;
using Pub.Storage;
using Pub.Subscriptions;
using Pub.Topology;

namespace Pub;

/// <summary>
/// Reads one subscription: shares its leases fairly with the other instances, reads ahead, and hands out messages to be settled. Made and started by
/// <c>PubClient.SubscribeAsync</c>; safe for several threads.
/// </summary>
/// <remarks>
/// Three ways to consume, of one queue of deliveries: a handler (<see cref="RunAsync"/>), an endless sequence (<see cref="ReadAllAsync"/>), batches
/// (<see cref="PullAsync(int, TimeSpan, CancellationToken)"/>). Every delivery must be settled.
/// Delivery is at least once: what was settled less than an instant before a crash is delivered again.
/// </remarks>
public sealed class Consumer : IAsyncDisposable
{
    // Timers take no more than some weeks.
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    private readonly ReaderContext _context;
    private readonly SubscriptionRuntime _runtime;
    private readonly LeaseKeeper _keeper;
    private readonly ISubscriptionRegistry _registry;
    private readonly TaskCompletionSource _deleted = Completion.Source();
    private readonly Action<Consumer> _ended;
    private readonly TemporaryMembership? _temporary;
    private readonly Lock _lock = new();
    private IDisposable? _watch;
    private Task? _stopping;

    internal Consumer(SubscriptionRuntime runtime, LeaseKeeper keeper, ISubscriptionRegistry registry, Action<Consumer> ended, TemporaryMembership? temporary = null)
    {
        _context = runtime.Context;
        _runtime = runtime;
        _keeper = keeper;
        _ended = ended;
        _temporary = temporary;
        _registry = registry;
    }

    /// <summary>The subscription that is read.</summary>
    public SubscriptionName Subscription => _context.Subscription;

    /// <summary>The leases that this instance holds now, ascending, of 16 (a temporary subscription: of 1). Lease n covers shard n, n + 16 … of every topic.</summary>
    public IReadOnlyList<int> HeldLeases => _runtime.HeldLeases;

    /// <summary>What keeps leases from being worked on: a broken invariant, or a format that this program cannot read. Empty when all is well.</summary>
    public IReadOnlyList<Exception> Faults => _runtime.Faults;

    internal ConsumerCounters Counters => _context.Counters;

    internal PrefetchBudget Budget => _context.Budget;

    internal SubscriptionRuntime Runtime => _runtime;

    internal SubscriptionView View => _runtime.View;

    internal bool IsStopping => Volatile.Read(ref _stopping) is not null;

    /// <summary>
    /// Up to <paramref name="most"/> messages of any shard that this instance holds; waits up to <paramref name="wait"/> for the first. Empty when
    /// none came. A batch may hold several messages of one key, in order; no other batch has that key meanwhile.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The consumer is stopped.</exception>
    public ValueTask<IReadOnlyList<Delivery>> PullAsync(int most, TimeSpan wait, CancellationToken cancellationToken = default) =>
        PullAsync(null, most, wait, cancellationToken);

    /// <summary>The same, of one shard of one topic. A shard whose lease another instance holds yields nothing.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The subscription does not read such a topic, or the number is negative.</exception>
    public ValueTask<IReadOnlyList<Delivery>> PullAsync(ShardId shard, int most, TimeSpan wait, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(shard.Number, nameof(shard));
        if (View.Sources.All(source => source.Topic != shard.Topic))
        {
            throw new ArgumentOutOfRangeException(nameof(shard), shard, $"{Subscription} does not read {shard.Topic}.");
        }

        return PullAsync((ShardId?)shard, most, wait, cancellationToken);
    }

    /// <summary>Every message, one by one, until the consumer stops or the token is cancelled. Settle each.</summary>
    public async IAsyncEnumerable<Delivery> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        try
        {
            while (await WaitAsync(cancellationToken))
            {
                while (!cancellationToken.IsCancellationRequested && TryTake(out var delivery))
                {
                    yield return delivery;
                }
            }
        }
        finally
        {
            // It may have been woken for what it does not take.
            _context.Queue.PassOn();
        }
    }

    /// <summary>
    /// Runs a handler for every message, <see cref="ConsumerOptions.Concurrency"/> at a time, until the consumer stops or the token is cancelled. A
    /// message is settled when its handler returns, if the handler did not settle it; a handler that throws has its message delivered again after
    /// <see cref="ConsumerOptions.RedeliveryDelay"/>, and dead-lettered after <see cref="ConsumerOptions.MaxDeliveries"/>.
    /// </summary>
    /// <param name="handler">Gets the delivery, and a token that is cancelled when the message is no longer this instance's.</param>
    /// <param name="cancellationToken">Ends the run; handlers that have begun are waited for.</param>
    public Task RunAsync(Func<Delivery, CancellationToken, Task> handler, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(handler);
        var loops = new Task[_context.Options.Concurrency];
        for (var i = 0; i < loops.Length; i++)
        {
            loops[i] = _context.Runtime.Start(() => HandleAsync(handler, cancellationToken));
        }

        return Task.WhenAll(loops);
    }

    /// <summary>
    /// Stops reading, waits for what handlers have begun (up to <see cref="ConsumerOptions.StopPatience"/>, then cancels them), writes the cursors and
    /// releases the leases: another instance goes on at once, without duplicates.
    /// </summary>
    public Task StopAsync()
    {
        lock (_lock)
        {
            // Away from the lock: what ends calls back.
            return _stopping ??= _context.Runtime.Start(StopCoreAsync);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync();

    internal async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            _runtime.Attach(_keeper);
            _watch = _registry.Watch(Subscription, Changed);
            await _keeper.StartAsync(cancellationToken);
        }
        catch
        {
            await StopAsync();
            throw;
        }

        _temporary?.Follow();
        _ = _context.Runtime.Start(StopWhenGoneAsync);
    }

    /// <summary>
    /// Another state of the subscription; null when it was deleted. The keeper mostly finds that out first, but not if it came before the keeper's first
    /// write: then it has joined what nobody else knows of, whose topics are trimmed under it.
    /// </summary>
    private void Changed(SubscriptionView? view)
    {
        if (view?.Incarnation == View.Incarnation)
        {
            _runtime.Update(view);
        }
        else
        {
            _deleted.TrySetResult();
        }
    }

    private async Task StopWhenGoneAsync()
    {
        await Task.WhenAny(_keeper.Gone, _deleted.Task);
        SubscriptionLog.SubscriptionDeleted(_context.Logger, Subscription);
        await StopAsync();
    }

    private async Task StopCoreAsync()
    {
        _runtime.BeginStopping();
        try
        {
            await _keeper.StopAsync(_context.Options.StopPatience);
        }
        finally
        {
            // Whatever the keeper's end was: handlers' loops end, and nothing is watched for nobody.
            _watch?.Dispose();
            _runtime.EndWatching();
            _context.Queue.Close();
            await LeaveAsync();
        }
    }

    private async Task LeaveAsync()
    {
        try
        {
            if (_temporary is not null)
            {
                await _temporary.LeaveAsync();
            }
        }
        finally
        {
            _ended(this);
        }
    }

    private async ValueTask<IReadOnlyList<Delivery>> PullAsync(ShardId? shard, int most, TimeSpan wait, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(wait, TimeSpan.Zero);
        ObjectDisposedException.ThrowIf(_stopping is not null, this);
        var taken = new List<Delivery>(Math.Min(most, 256));
        var elapsed = _context.Runtime.StartElapsed();
        while (true)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                _context.Queue.PassOn();
                throw new OperationCanceledException(cancellationToken);
            }

            _context.Queue.TryTake(taken, most, shard, runs: true);
            taken.RemoveAll(SettleIfExpired);
            var left = wait - elapsed.Elapsed;
            if (taken.Count > 0)
            {
                return taken;
            }

            if (left <= TimeSpan.Zero)
            {
                _context.Budget.UseRoom();
                return taken;
            }

            _context.Budget.UseRoom();
            left = left > LongestWait ? LongestWait : left;
            if (!await _context.Queue.WaitAsync(shard, left, _context.Runtime.Time, cancellationToken) && _stopping is not null)
            {
                return taken;
            }
        }
    }

    private async Task HandleAsync(Func<Delivery, CancellationToken, Task> handler, CancellationToken cancellationToken)
    {
        while (await WaitAsync(cancellationToken))
        {
            while (!cancellationToken.IsCancellationRequested && TryTake(out var delivery))
            {
                await HandleAsync(handler, delivery);
            }
        }

        // It may have been woken for what it does not take.
        _context.Queue.PassOn();
    }

    private async Task HandleAsync(Func<Delivery, CancellationToken, Task> handler, Delivery delivery)
    {
        try
        {
            if (_context.Runtime.Breaks(BrokenRules.SettleBeforeHandled))
            {
                delivery.Ack();
            }

            await handler(delivery, delivery.Cancelled);
            if (!delivery.IsSettled)
            {
                delivery.Ack();
            }
        }
        catch (Exception) when (delivery.Cancelled.IsCancellationRequested)
        {
            ReturnUnlessSettled(delivery);
        }
        catch (Exception e)
        {
            SubscriptionLog.HandlerFailed(_context.Logger, Subscription, delivery.Message.Id, delivery.DeliveryCount, e);
            await ReturnAsync(delivery, e);
        }
    }

    private async Task ReturnAsync(Delivery delivery, Exception cause)
    {
        if (delivery.IsSettled)
        {
            return;
        }

        try
        {
            if (delivery.DeliveryCount >= _context.Options.MaxDeliveries)
            {
                await delivery.DeadLetterAsync(DeadLetterReasons.TooManyDeliveries, cause);
            }
            else
            {
                await delivery.NackAsync(_context.Options.RedeliveryDelay);
            }
        }
        catch (Exception e)
        {
            // The delivery was returned where it is. Whatever it was: the loop goes on to the next message.
            SubscriptionLog.SetAsideRetried(_context.Logger, delivery.Place, TimeSpan.Zero, e);
        }
    }

    private static void ReturnUnlessSettled(Delivery delivery)
    {
        if (!delivery.IsSettled)
        {
            delivery.Nack();
        }
    }

    private bool TryTake([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Delivery? delivery)
    {
        while (_context.Queue.TryTake(out delivery))
        {
            if (!SettleIfExpired(delivery))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A message can pass its time to live while it is ready.</summary>
    private bool SettleIfExpired(Delivery delivery)
    {
        if (delivery.Message.ExpiresMilliseconds is not { } expires || expires > _context.Runtime.UnixMilliseconds)
        {
            return false;
        }

        delivery.Reader.Expire(delivery);
        return true;
    }

    private async Task<bool> WaitAsync(CancellationToken cancellationToken)
    {
        try
        {
            _context.Budget.UseRoom();
            return !cancellationToken.IsCancellationRequested
                && await _context.Queue.WaitAsync(null, Timeout.InfiniteTimeSpan, _context.Runtime.Time, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}

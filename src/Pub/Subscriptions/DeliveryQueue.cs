namespace Pub.Subscriptions;

/// <summary>The messages of one ordering key, one after another.</summary>
internal sealed class KeyLane(string key)
{
    public string Key { get; } = key;

    /// <summary>Deliveries of this key that are ready or with a handler: 1, or more where one batch took a run of them.</summary>
    public int Active { get; set; }

    public LinkedList<Delivery> Waiting { get; } = [];

    /// <summary>What the lane waits for after a nack with delay; null when it is not held.</summary>
    public Delivery? Held { get; set; }
}

/// <summary>
/// What one consumer has ready for its handlers, in order of arrival, one lane per ordering key.
/// <code>
/// of one key at most one delivery (or one batch's run) is ready or with a handler
/// a lane exists while something of its key is ready, with a handler, or waiting
/// a delivery is in the ready list, in a lane's waiting list, with a handler, or gone
/// what waits in a lane is in the order of arrival
/// </code>
/// One lock, which is the innermost: readers call under their own, and neither readers nor user code run under it.
/// </summary>
internal sealed class DeliveryQueue
{
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(1);

    private readonly Lock _lock = new();
    private readonly LinkedList<Delivery> _ready = [];
    private readonly Dictionary<string, KeyLane> _lanes = new(StringComparer.Ordinal);
    private readonly LinkedList<TaskCompletionSource<bool>> _waiters = [];
    private readonly LinkedList<TaskCompletionSource<bool>> _shardWaiters = [];
    private readonly bool _ignoresKeys;
    private readonly TimeProvider _time;
    private readonly KeyHolds _holds;
    private readonly ITimer _holdTimer;
    private bool _isClosed;

    /// <param name="broken">Rules left out.</param>
    /// <param name="time">The clock of holds.</param>
    /// <param name="mostHeld">How many messages may be held at a time, those behind held ones included.</param>
    public DeliveryQueue(BrokenRules broken = BrokenRules.None, TimeProvider? time = null, int mostHeld = 500)
    {
        _ignoresKeys = (broken & BrokenRules.NoKeyOrder) != 0;
        _time = time ?? TimeProvider.System;
        _holds = new KeyHolds(mostHeld);
        _holdTimer = _time.CreateTimer(static queue => ((DeliveryQueue)queue!).EndHolds(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public int ReadyCount
    {
        get
        {
            lock (_lock)
            {
                return _ready.Count;
            }
        }
    }

    public void Enqueue(IReadOnlyList<Delivery> deliveries)
    {
        lock (_lock)
        {
            foreach (var delivery in deliveries)
            {
                Add(delivery);
            }

            WakeWaiters();
        }
    }

    /// <summary>Puts a delivery that was nacked back at its place in its lane: at the head, behind what else of a batch came back before it.</summary>
    public void Return(Delivery nacked, Delivery again)
    {
        lock (_lock)
        {
            if (nacked.Lane is { } lane)
            {
                nacked.Lane = null;
                lane.Active--;
                again.Lane = lane;
                PutBack(lane, again);
                Advance(lane);
            }
            else
            {
                Add(again);
            }

            WakeWaiters();
        }
    }

    /// <summary>
    /// Keeps a delivery that was nacked, and with it all of its key, for a while. False: it has no key, or too much would be held; nothing has changed.
    /// </summary>
    public bool TryHold(Delivery nacked, Delivery again, TimeSpan delay)
    {
        lock (_lock)
        {
            if (nacked.Lane is not { Active: 1, Held: null } lane || !_holds.HasRoomFor(lane))
            {
                return false;
            }

            nacked.Lane = null;
            again.Lane = lane;
            _holds.Add(again, _time.GetTimestamp() + (long)(delay.TotalSeconds * _time.TimestampFrequency));
            SetHoldTimer();
            return true;
        }
    }

    /// <summary>The handler is done with it, however it ended: the next one of its key may come.</summary>
    public void Finish(Delivery delivery)
    {
        if (delivery.Lane is null)
        {
            return;
        }

        lock (_lock)
        {
            if (delivery.Lane is not { } lane)
            {
                return;
            }

            delivery.Lane = null;
            lane.Active--;
            Advance(lane);
            WakeWaiters();
        }
    }

    /// <summary>Takes up to <paramref name="most"/> deliveries, of one shard if one is named; a batch may hold a run of one key.</summary>
    public int TryTake(List<Delivery> taken, int most, ShardId? shard = null, bool runs = false)
    {
        var before = taken.Count;
        lock (_lock)
        {
            for (var node = _ready.First; node is not null && taken.Count - before < most;)
            {
                var next = node.Next;
                var delivery = node.Value;
                if (shard is null || LeaseReader.ShardOf(delivery.Slot) == shard)
                {
                    _ready.Remove(node);
                    Start(delivery, taken);
                    if (runs)
                    {
                        TakeRun(delivery.Lane, taken, most - (taken.Count - before), shard);
                    }
                }

                node = next;
            }
        }

        return taken.Count - before;
    }

    public bool TryTake([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Delivery? delivery)
    {
        lock (_lock)
        {
            delivery = _ready.First?.Value;
            if (delivery is null)
            {
                return false;
            }

            _ready.RemoveFirst();
            delivery.Reader.CountStarted();
            return true;
        }
    }

    /// <summary>
    /// Waits until something may be ready, of one shard if one is named. False once the queue is closed and empty, or when
    /// <paramref name="wait"/> has passed.
    /// </summary>
    public async Task<bool> WaitAsync(ShardId? shard, TimeSpan wait, TimeProvider time, CancellationToken cancellationToken)
    {
        LinkedListNode<TaskCompletionSource<bool>> waiter;
        lock (_lock)
        {
            if (shard is null ? _ready.Count > 0 : _ready.Any(delivery => LeaseReader.ShardOf(delivery.Slot) == shard))
            {
                return true;
            }

            if (_isClosed)
            {
                return false;
            }

            waiter = (shard is null ? _waiters : _shardWaiters).AddLast(Completion.Source<bool>());
        }

        var woken = waiter.Value.Task;
        try
        {
            return await woken.WaitAsync(wait, time, cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            // A wake-up that came at the same moment counts: it would be nobody's otherwise.
            if (!TryGiveUp(waiter))
            {
                return await woken;
            }

            cancellationToken.ThrowIfCancellationRequested();
            return false;
        }
    }

    /// <summary>Who was woken takes nothing after all: another one may. Without this the wake-up would be lost with the one that left.</summary>
    public void PassOn()
    {
        lock (_lock)
        {
            WakeWaiters();
        }
    }

    private bool TryGiveUp(LinkedListNode<TaskCompletionSource<bool>> waiter)
    {
        lock (_lock)
        {
            waiter.List?.Remove(waiter);
            return waiter.Value.TrySetResult(false);
        }
    }

    /// <summary>Takes back everything of a reader that no handler has begun, in order.</summary>
    public List<Delivery> Withdraw(LeaseReader reader)
    {
        var withdrawn = new List<Delivery>();
        lock (_lock)
        {
            for (var node = _ready.First; node is not null;)
            {
                var next = node.Next;
                if (node.Value.Reader == reader)
                {
                    _ready.Remove(node);
                    withdrawn.Add(node.Value);
                }

                node = next;
            }

            foreach (var held in _holds.Of(reader))
            {
                _holds.Remove(held);
                withdrawn.Add(held);
            }

            foreach (var delivery in withdrawn)
            {
                if (delivery.Lane is { } lane)
                {
                    delivery.Lane = null;
                    lane.Active--;
                }
            }

            foreach (var lane in _lanes.Values.ToArray())
            {
                WithdrawWaiting(lane, reader, withdrawn);
                Advance(lane);
            }

            WakeWaiters();
        }

        withdrawn.Sort(static (left, right) => left.Order.CompareTo(right.Order));
        return withdrawn;
    }

    /// <summary>Nothing comes any more: waiters learn it.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            WakeWaiters();
        }

        _holdTimer.Dispose();
    }

    private void EndHolds()
    {
        lock (_lock)
        {
            foreach (var held in _holds.TakeDue(_time.GetTimestamp()))
            {
                EndHold(held);
            }

            SetHoldTimer();
            WakeWaiters();
        }
    }

    private void EndHold(Delivery held)
    {
        var lane = held.Lane!;
        _holds.Remove(held);
        lane.Active--;
        PutBack(lane, held);
        Advance(lane);
    }

    private void SetHoldTimer()
    {
        if (_holds.Any)
        {
            var wait = TimeSpan.FromSeconds((double)(_holds.NextDue - _time.GetTimestamp()) / _time.TimestampFrequency);

            // Timers take no more than some weeks, and whole milliseconds: it looks again.
            var bounded = wait < TimeSpan.Zero ? TimeSpan.Zero : wait < LongestTimer ? wait : LongestTimer;
            _holdTimer.Change(bounded + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
        }
    }

    private void Add(Delivery delivery)
    {
        if (delivery.Message.Key is not { } key || _ignoresKeys)
        {
            _ready.AddLast(delivery);
            return;
        }

        if (!_lanes.TryGetValue(key, out var lane))
        {
            lane = new KeyLane(key);
            _lanes.Add(key, lane);
        }

        delivery.Lane = lane;
        lane.Waiting.AddLast(delivery);
        if (lane.Held is { } held && _holds.Grew(lane))
        {
            EndHold(held);
        }

        Advance(lane);
    }

    private void Advance(KeyLane lane)
    {
        if (lane.Active > 0)
        {
            return;
        }

        if (lane.Waiting.First is not { } first)
        {
            _lanes.Remove(lane.Key);
            return;
        }

        lane.Waiting.RemoveFirst();
        lane.Active = 1;
        _ready.AddLast(first.Value);
    }

    private static void TakeRun(KeyLane? lane, List<Delivery> taken, int most, ShardId? shard)
    {
        // A lane is shared by all topics: a run ends where another shard's turn comes, if one was asked for.
        while (most-- > 0 && lane?.Waiting.First is { } next && (shard is null || LeaseReader.ShardOf(next.Value.Slot) == shard))
        {
            lane.Waiting.RemoveFirst();
            lane.Active++;
            Start(next.Value, taken);
        }
    }

    private static void Start(Delivery delivery, List<Delivery> taken)
    {
        delivery.Reader.CountStarted();
        taken.Add(delivery);
    }

    private void WithdrawWaiting(KeyLane lane, LeaseReader reader, List<Delivery> withdrawn)
    {
        for (var node = lane.Waiting.First; node is not null;)
        {
            var next = node.Next;
            if (node.Value.Reader == reader)
            {
                lane.Waiting.Remove(node);
                node.Value.Lane = null;
                withdrawn.Add(node.Value);
                if (lane.Held is not null)
                {
                    _holds.Shrank();
                }
            }

            node = next;
        }
    }

    private static void PutBack(KeyLane lane, Delivery again)
    {
        var node = lane.Waiting.First;
        while (node is not null && node.Value.Order < again.Order)
        {
            node = node.Next;
        }

        _ = node is null ? lane.Waiting.AddLast(again) : lane.Waiting.AddBefore(node, again);
    }

    /// <summary>
    /// Wakes as many as there is to take; a taker goes on until it finds nothing, so nothing ready stays unseen. Under the lock: completing a waiter
    /// runs none of its code, since every source here completes asynchronously.
    /// </summary>
    private void WakeWaiters()
    {
        if (_ready.Count == 0 && !_isClosed)
        {
            return;
        }

        var more = _ready.Count > 0;
        for (var free = _isClosed ? int.MaxValue : _ready.Count; free > 0 && _waiters.First is { } waiter; free--)
        {
            _waiters.RemoveFirst();
            waiter.Value.TrySetResult(more);
        }

        // Each looks for its own shard.
        foreach (var waiter in _shardWaiters)
        {
            waiter.TrySetResult(more);
        }

        _shardWaiters.Clear();
    }
}

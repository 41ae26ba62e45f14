using Pub.Leases;
using Pub.Storage;
using Pub.Topics;
using Pub.Topology;

namespace Pub.Subscriptions;

/// <summary>
/// Works on one lease from one state of its cursor: reads ahead, closes holes, hands out deliveries and takes in how they end. A rewind ends it, and
/// another one begins from the edited cursor.
/// <code>
/// nothing is delivered after it has ended; what is settled after it has ended is not counted
/// nothing is delivered at or above what the stored cursor says may have been delivered (ahead)
/// in flight = deliveries taken by handlers and not settled
/// </code>
/// <see cref="_gate"/> protects windows, counts and flags, and is taken before the delivery queue's lock: what is handed out or put back enters the queue under
/// it, so that a drain or the end sees either all of it or none. Nothing else is called under it. One loop reads; handlers settle from any thread.
/// </summary>
internal sealed partial class LeaseReader : IDisposable
{
    private const int FetchEntries = 64;

    private readonly ReaderContext _context;
    private readonly LeaseGrant _grant;
    private readonly CursorKeeper _cursor;
    private readonly Lock _gate = new();
    private readonly AsyncSignal _wake;
    private readonly CancellationTokenSource _cancelled = new();
    private readonly List<ShardWindow> _windows = [];
    private readonly Dictionary<ShardId, ShardWindow> _byShard = [];
    private readonly DeliveryCounts _counts;
    private readonly AheadMarks _ahead;
    private readonly TailProbe _probe;
    private readonly ShardFences _fences;
    private readonly CursorDocument _start;
    private readonly int _leaseCount;
    private readonly List<Delivery> _withdrawn = [];
    private double _messagesPerEntry = 8;
    private TaskCompletionSource? _drained;
    private int _inFlight;
    private volatile bool _isDraining;
    private volatile bool _isEnded;

    public LeaseReader(ReaderContext context, LeaseGrant grant, int leaseCount, CursorKeeper cursor, CursorDocument start, Func<int, DocumentKey> cursorOf)
    {
        _context = context;
        _grant = grant;
        _leaseCount = leaseCount;
        _cursor = cursor;
        _start = start;
        _wake = new AsyncSignal(context.Runtime.Time);
        Cancelled = _cancelled.Token;
        _counts = new DeliveryCounts(start);
        _ahead = new AheadMarks(start, grant.TakenFromDead && !context.Runtime.Breaks(BrokenRules.NoCountBeforeDelivery));
        _fences = new ShardFences(context.Store, cursorOf, leaseCount);
        _probe = new TailProbe(context.Store, context.Directory, context.Runtime);
    }

    public CancellationToken Cancelled { get; }

    /// <summary>Whether no handler has a delivery of this lease.</summary>
    public bool IsIdle => Volatile.Read(ref _inFlight) == 0;

    public static ShardId ShardOf(WindowSlot slot) => slot.Window.Shard;

    /// <summary>Takes in a state of a topic that the subscription reads.</summary>
    public void Observe(TopicSnapshot topic, SubscriptionSource source)
    {
        var (isNews, hasPassed) = (false, false);
        lock (_gate)
        {
            if (_isEnded)
            {
                return;
            }

            for (var number = FirstShardOf(topic.Name); number < topic.ShardCount; number += _leaseCount)
            {
                var state = topic[number];
                var window = WindowOf(new ShardId(topic.Name, number), source);
                isNews |= window.IsRetired || state.Last > window.Tail || state.Head > window.Progress.Floor.Offset;
                window.Revive();
                var floor = window.Progress.Floor;
                window.Observe(state.Last, state.Head, state.Jumps);
                hasPassed |= window.Progress.Floor != floor;
                if (state.Fence is { } fence)
                {
                    _fences.Observe(window.Shard, fence, Position.Max(source.StartOf(fence.Shard), Position.StartOf(topic[fence.Shard].Head)));
                }

                _ahead.BoundSuspects(window.Shard, state.Last);
                isNews |= !state.IsClosed && _probe.Observe(window.Shard, topic.Epoch);
            }
        }

        if (hasPassed)
        {
            // Nothing may be settled here for long, and others wait for the stored floor: trims, and shards that were added.
            _cursor.MarkDirty();
        }

        if (isNews)
        {
            _wake.Set();
        }
    }

    /// <summary>The same of every topic, so that one key is with one lease, whatever the topic (executions.md 27).</summary>
    private int FirstShardOf(TopicName topic) =>
        _context.Runtime.Breaks(BrokenRules.LeaseByShardOfOneTopic) ? (_grant.Lease + topic.Name[^1]) % _leaseCount : _grant.Lease;

    /// <summary>An entry of this process was appended to a shard of this lease.</summary>
    public void ObserveAppended(ShardId shard, Offset offset)
    {
        lock (_gate)
        {
            if (_isEnded || !_byShard.TryGetValue(shard, out var window))
            {
                return;
            }

            window.ObserveFilled(offset);
        }

        _wake.Set();
    }

    /// <summary>Topics that are no longer read: their shards are left as the cursor has them.</summary>
    public void Retain(Func<TopicName, bool> isRead)
    {
        Freed freed = default;
        lock (_gate)
        {
            foreach (var window in _windows)
            {
                if (!isRead(window.Shard.Topic))
                {
                    window.Retire();
                    freed += Free(window);
                }
            }
        }

        Release(freed);
    }

    public void CountStarted() => Interlocked.Increment(ref _inFlight);

    /// <summary>Where each shard of the lease stands: for trimming and for people.</summary>
    public IReadOnlyList<(ShardId Shard, Position Floor)> Floors()
    {
        lock (_gate)
        {
            return [.. _windows.Select(window => (window.Shard, window.Progress.Floor))];
        }
    }

    /// <summary>Begins nothing new and takes back what no handler has begun; ends when handlers are done, or false when patience has run out.</summary>
    public async Task<bool> DrainAsync(TimeSpan patience)
    {
        Task drained;
        lock (_gate)
        {
            _isDraining = true;
            _drained ??= Completion.Source();
            drained = _drained.Task;
            _withdrawn.AddRange(_context.Queue.Withdraw(this));
        }

        SignalIfDrained();
        try
        {
            await drained.WaitAsync(patience, _context.Runtime.Time);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Goes on after a drain that took too long: what was taken back is ready again.</summary>
    public void Resume()
    {
        lock (_gate)
        {
            _isDraining = false;
            _drained = null;
            if (!_isEnded)
            {
                _withdrawn.Sort(static (left, right) => left.Order.CompareTo(right.Order));
                _context.Queue.Enqueue(_withdrawn);
            }

            _withdrawn.Clear();
        }

        _wake.Set();
    }

    /// <summary>Ends it: handlers are cancelled, settling has no effect from here on, the loop returns.</summary>
    public void End()
    {
        Freed freed = default;
        lock (_gate)
        {
            if (_isEnded)
            {
                return;
            }

            _isEnded = true;
            foreach (var window in _windows)
            {
                freed += Free(window);
                freed += Free(window.Slots);
            }

            _context.Queue.Withdraw(this);
        }

        Release(freed);
        _wake.Set();
        try
        {
            _cancelled.Cancel();
        }
        catch (AggregateException e)
        {
            // A handler's own callback on its token threw.
            SubscriptionLog.CancellationThrew(_context.Logger, _context.Subscription, _grant.Lease, e);
        }
    }

    /// <summary>What the cursor says now. Everything settled so far is in it; what may be delivered until the next write is named ahead of it.</summary>
    public CursorDocument Capture()
    {
        lock (_gate)
        {
            // Shards that are not read any more, or not yet, keep their lines.
            var lines = _start.Shards.Where(line => !_byShard.ContainsKey(line.Shard)).ToList();
            foreach (var window in _windows)
            {
                lines.Add(new ShardCursor(
                    window.Shard,
                    window.Progress.Floor,
                    [.. window.Progress.Ranges],
                    _counts.Of(window.Shard, window.Progress),
                    _ahead.Plan(window)));
            }

            if (lines.Count > _windows.Count)
            {
                lines.Sort(static (left, right) => CursorDocument.Compare(left.Shard, right.Shard));
            }

            return _start with { Shards = lines };
        }
    }

    /// <summary>A captured cursor is stored: what it named ahead may be delivered.</summary>
    public void Written(CursorDocument cursor)
    {
        bool isAwaited;
        lock (_gate)
        {
            isAwaited = _ahead.Stored(cursor, _byShard);
        }

        if (isAwaited)
        {
            _wake.Set();
        }
    }

    /// <summary>Ends and disposes of it.</summary>
    public void Discard()
    {
        End();
        Dispose();
    }

    /// <summary>The source of <see cref="Cancelled"/> stays: handlers may still look at their token.</summary>
    public void Dispose()
    {
        _context.Budget.Forget(_wake);
        _wake.Dispose();
    }

    private ShardWindow WindowOf(ShardId shard, SubscriptionSource source)
    {
        if (_byShard.TryGetValue(shard, out var window))
        {
            return window;
        }

        var line = _start.Find(shard);
        var progress = new SettledRanges(line?.Floor ?? source.StartOf(shard.Number), line?.Settled);
        window = new ShardWindow(shard, progress, _context.Runtime.Time, _context.Runtime.Broken, _context.Pending);
        _byShard.Add(shard, window);
        var index = _windows.FindIndex(other => CursorDocument.Compare(shard, other.Shard) < 0);
        _windows.Insert(index < 0 ? _windows.Count : index, window);
        return window;
    }

    /// <summary>What the window has let go, taken off the slots so that it is given back once; under the gate.</summary>
    private static Freed Free(ShardWindow window) => Free(window.TakeReleased());

    private static Freed Free(IReadOnlyList<WindowSlot> slots)
    {
        var messages = 0;
        long bytes = 0;
        foreach (var slot in slots)
        {
            messages += slot.BudgetMessages;
            bytes += slot.BudgetBytes;
            slot.BudgetMessages = 0;
            slot.BudgetBytes = 0;
        }

        return new Freed(slots.Count, messages, bytes);
    }

    private void Release(Freed freed)
    {
        if (freed.Messages != 0 || freed.Bytes != 0)
        {
            _context.Budget.Release(freed.Messages, freed.Bytes);
        }
    }

    private void SignalIfDrained()
    {
        TaskCompletionSource? drained = null;
        lock (_gate)
        {
            if (_isDraining && Volatile.Read(ref _inFlight) == 0)
            {
                drained = _drained;
            }
        }

        drained?.TrySetResult();
    }

    /// <summary>Slots that were let go, and what they had of the budget.</summary>
    private readonly record struct Freed(int Slots, int Messages, long Bytes)
    {
        public static Freed operator +(Freed left, Freed right) =>
            new(left.Slots + right.Slots, left.Messages + right.Messages, left.Bytes + right.Bytes);
    }
}

using Pub.Leases;
using Pub.Storage;
using Pub.Topics;
using Pub.Topology;

namespace Pub.Subscriptions;

/// <summary>
/// One subscription in one process: what it reads, which leases it holds, and the readers that work on them.
/// <code>
/// a topic is watched once, while it is a source of the subscription's view
/// every reader has seen the latest state of every topic that is watched
/// once watching has ended nothing is watched any more, whatever news comes late
/// </code>
/// <see cref="_lock"/> protects the tables; nothing is called under it.
/// </summary>
internal sealed class SubscriptionRuntime : ILeaseHolder
{
    private readonly ReaderContext _context;
    private readonly TopicWatch _watch;
    private readonly SubscriptionView _first;
    private readonly CursorPace _pace;
    private readonly IReadOnlyCollection<TopicName> _declared;
    private readonly Lock _lock = new();
    private readonly SortedDictionary<int, HeldLease> _held = [];
    private readonly SortedDictionary<TopicName, WatchedTopic> _topics = [];
    private readonly CursorMemory _memory = new();
    private SubscriptionView _view;
    private LeaseKeeper? _keeper;
    private bool _isStopping;
    private bool _hasEnded;

    public SubscriptionRuntime(ReaderContext context, TopicWatch watch, CursorPace pace, SubscriptionView view, IReadOnlyCollection<TopicName> declared)
    {
        _context = context;
        _watch = watch;
        _pace = pace;
        _declared = declared;
        _first = view;
        _view = view.ReadBy(declared);
    }

    public ReaderContext Context => _context;

    public SubscriptionView View => Volatile.Read(ref _view);

    /// <summary>The leases held now, ascending.</summary>
    public IReadOnlyList<int> HeldLeases
    {
        get
        {
            lock (_lock)
            {
                return [.. _held.Keys];
            }
        }
    }

    /// <summary>What keeps leases from being worked on.</summary>
    public IReadOnlyList<Exception> Faults
    {
        get
        {
            lock (_lock)
            {
                return [.. _held.Values.Select(held => held.Fault).OfType<Exception>()];
            }
        }
    }

    /// <summary>Where every shard that is held stands.</summary>
    public IReadOnlyList<(ShardId Shard, Position Floor)> Floors()
    {
        lock (_lock)
        {
            return [.. _held.Values.SelectMany(held => held.Reader?.Floors() ?? [])];
        }
    }

    /// <summary>The keeper calls this as soon as it exists, before it is started.</summary>
    public void Attach(LeaseKeeper keeper)
    {
        _keeper = keeper;
        WatchTopics(_view);
    }

    /// <summary>Another state of the subscription: sources come and go.</summary>
    public void Update(SubscriptionView view)
    {
        if (view.Incarnation != _first.Incarnation)
        {
            return; // deleted and made anew: this one ends through its keeper
        }

        var read = view.ReadBy(_declared);
        var isEdited = View.Edits != read.Edits;
        Volatile.Write(ref _view, read);
        WatchTopics(read);
        if (isEdited)
        {
            LookAtCursors();
        }

        var topics = read.Sources.Select(source => source.Topic).ToHashSet();
        foreach (var reader in Readers())
        {
            reader.Retain(topics.Contains);
        }
    }

    /// <summary>Somebody edited cursors: a holder that has nothing to write would not notice.</summary>
    private void LookAtCursors()
    {
        HeldLease[] held;
        lock (_lock)
        {
            held = [.. _held.Values];
        }

        foreach (var lease in held)
        {
            lease.LookAtCursor();
        }
    }

    /// <summary>From now on leases are given up even if handlers don't end in time.</summary>
    public void BeginStopping() => Volatile.Write(ref _isStopping, true);

    public void EndWatching()
    {
        WatchedTopic[] watched;
        lock (_lock)
        {
            _hasEnded = true;
            watched = [.. _topics.Values];
            _topics.Clear();
        }

        foreach (var topic in watched)
        {
            topic.End();
        }
    }

    public void Take(LeaseGrant grant)
    {
        var view = View;
        var incarnation = _context.Runtime.Breaks(BrokenRules.NoIncarnation) ? "0" : view.Incarnation;
        var cursor = new CursorKeeper(_context.Store, _context.Runtime, CursorOf(grant.Lease), grant, _pace, _context.Logger, view.IsTemporary ? _memory : null);
        var held = new HeldLease(_context, grant, view.LeaseCount, cursor, CursorOf, AttachReader, ReportLost);
        HeldLease? former;
        lock (_lock)
        {
            _held.Remove(grant.Lease, out former);
            _held.Add(grant.Lease, held);
        }

        former?.Lose();
        held.Start();

        DocumentKey CursorOf(int lease) => DocumentKeys.Cursor(view.Name, incarnation, lease);
    }

    public bool IsIdle(int lease) => Find(lease)?.IsIdle ?? true;

    public async Task<bool> TryGiveUpAsync(int lease, TimeSpan patience)
    {
        var held = Find(lease);
        if (held is null)
        {
            return true;
        }

        var isGivenUp = await held.TryGiveUpAsync(patience, Volatile.Read(ref _isStopping));
        if (isGivenUp)
        {
            Forget(lease, held);
            SubscriptionLog.LeaseGivenUp(_context.Logger, _context.Subscription, lease);
        }

        return isGivenUp;
    }

    public void Lose(int lease, string reason)
    {
        var held = Find(lease);
        if (held is not null)
        {
            SubscriptionLog.LeaseLost(_context.Logger, _context.Subscription, lease, reason);
            Forget(lease, held);
            held.Lose();
        }
    }

    private void ReportLost(LeaseGrant grant, string reason) => _keeper!.RequestLose(grant, reason);

    private HeldLease? Find(int lease)
    {
        lock (_lock)
        {
            return _held.GetValueOrDefault(lease);
        }
    }

    private void Forget(int lease, HeldLease held)
    {
        lock (_lock)
        {
            if (_held.GetValueOrDefault(lease) == held)
            {
                _held.Remove(lease);
            }
        }
    }

    private List<LeaseReader> Readers()
    {
        lock (_lock)
        {
            return [.. _held.Values.Select(held => held.Reader).OfType<LeaseReader>()];
        }
    }

    /// <summary>A new reader learns what is known; what comes later it is told.</summary>
    private void AttachReader(LeaseReader reader)
    {
        List<(TopicSnapshot State, SubscriptionSource Source)> known;
        lock (_lock)
        {
            known = [.. _topics.Values.Where(topic => topic.State is not null).Select(topic => (topic.State!, topic.Source))];
        }

        foreach (var (state, source) in known)
        {
            reader.Observe(state, source);
        }
    }

    private void WatchTopics(SubscriptionView view)
    {
        var added = new List<WatchedTopic>();
        var removed = new List<WatchedTopic>();
        lock (_lock)
        {
            foreach (var source in _hasEnded ? [] : view.Sources)
            {
                if (!_topics.TryGetValue(source.Topic, out var watched))
                {
                    watched = new WatchedTopic(source);
                    _topics.Add(source.Topic, watched);
                    added.Add(watched);
                }
            }

            foreach (var topic in _topics.Values.ToArray())
            {
                if (view.Sources.All(source => source.Topic != topic.Source.Topic))
                {
                    _topics.Remove(topic.Source.Topic);
                    removed.Add(topic);
                }
            }
        }

        foreach (var topic in added)
        {
            topic.Begin(_watch.Watch(topic.Source.Topic, state => Changed(topic, state), Appended));
        }

        foreach (var topic in removed)
        {
            topic.End();
        }
    }

    private void Changed(WatchedTopic topic, TopicSnapshot state)
    {
        lock (_lock)
        {
            // One more call can come after the watch was ended: it must not bring the topic back.
            if (_topics.GetValueOrDefault(topic.Source.Topic) != topic)
            {
                return;
            }

            topic.State = state;
        }

        foreach (var reader in Readers())
        {
            reader.Observe(state, topic.Source);
        }
    }

    private void Appended(ShardId shard, Offset offset, ReadOnlyMemory<byte> entry)
    {
        var reader = Find(shard.Number % _first.LeaseCount)?.Reader;
        if (reader is not null)
        {
            _context.Cache.Add(shard, offset, entry);
            reader.ObserveAppended(shard, offset);
        }
    }

    /// <summary>A topic that is watched, or will be in a moment: it can be ended before its watch is there.</summary>
    private sealed class WatchedTopic(SubscriptionSource source)
    {
        private readonly Lock _lock = new();
        private IDisposable? _watch;
        private bool _isEnded;

        public SubscriptionSource Source { get; } = source;

        public TopicSnapshot? State { get; set; }

        public void Begin(IDisposable watch)
        {
            lock (_lock)
            {
                if (!_isEnded)
                {
                    _watch = watch;
                    return;
                }
            }

            watch.Dispose();
        }

        public void End()
        {
            IDisposable? watch;
            lock (_lock)
            {
                _isEnded = true;
                watch = _watch;
            }

            watch?.Dispose();
        }
    }
}

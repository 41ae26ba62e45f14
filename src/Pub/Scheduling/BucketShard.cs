using Microsoft.Extensions.Logging;
using Pub.Storage;
using Pub.Topics;

namespace Pub.Scheduling;

/// <summary>
/// One shard of an open bucket: what was read of it, what is not moved yet, and when. In memory an index and a bounded cache of entries, never all messages.
/// Owned by the lease's loop.
/// <code>
/// every slot up to ReadThrough was filled, a tombstone, or is a hole
/// a message read and not in the index, nor on its way, is moved
/// </code>
/// </summary>
internal sealed class BucketShard
{
    private const int SlotsAtATime = 16;

    private readonly IDocumentStore _store;
    private readonly PubRuntime _runtime;
    private readonly BucketCache _cache;
    private readonly ILogger _logger;
    private readonly string _prefix;
    private readonly PriorityQueue<byte, DueKey> _index = new();
    private readonly BucketHoles _holes;
    private readonly HashSet<long> _setAside = [];
    private readonly BucketProgress _before;
    private DueKey _moved;
    private long _extraLast;
    private bool _hasMoved;
    private Epoch _probedEpoch = Epoch.Constant;

    public BucketShard(BucketName bucket, int shard, BucketProgress before, IDocumentStore store, PubRuntime runtime, ShardLog log, PubTimings timings, BucketCache cache, ILogger logger)
    {
        Bucket = bucket;
        Shard = new ShardId(bucket.Topic, shard);
        Progress = _before = before;
        _moved = before.Moved;
        _store = store;
        _runtime = runtime;
        _cache = cache;
        _logger = logger;
        _prefix = DocumentKeys.EntryPrefix(Shard);
        _holes = new BucketHoles(Shard, log, runtime, timings);
        SinceOpened = runtime.StartElapsed();
    }

    public BucketName Bucket { get; }

    public ShardId Shard { get; }

    public BucketProgress Progress { get; private set; }

    /// <summary>Up to here all slots were looked at.</summary>
    public long ReadThrough { get; private set; }

    public ElapsedTime SinceOpened { get; }

    /// <summary>Since the log was first seen closed.</summary>
    public ElapsedTime? SinceClosed { get; private set; }

    /// <summary>Whether something was moved that the stored progress does not say and <see cref="Progress"/> does.</summary>
    public bool NeedsSave => _hasMoved && IsCurrent;

    /// <summary>Nothing left to move and nothing left to store.</summary>
    public bool IsDone => IsEmpty && !_hasMoved;

    public bool IsEmpty => _index.Count == 0 && _holes.Count == 0;

    /// <summary>When the next message is due; null if none is known.</summary>
    public long? NextDue => _index.TryPeek(out _, out var key) ? key.Due : null;

    /// <summary>When a hole is read again; null if there is none.</summary>
    public TimeSpan? NextHole => _holes.Next;

    /// <summary>Entries that nobody understands; they are not removed.</summary>
    public IReadOnlySet<long> SetAside => _setAside;

    private bool IsCurrent => ReadThrough >= _before.Through && BucketProgress.IsInOrder(_moved, Next);

    private DueKey? Next => _index.TryPeek(out _, out var next) ? next : null;

    /// <summary>Whether everything was moved and its removal has begun: there is nothing to read, and missing slots are no holes.</summary>
    public static bool IsDrained(ShardState state) => state.IsClosed && state.Head > state.Last;

    /// <summary>The last offset at which there can be an entry.</summary>
    public long Last(ShardState state) => Math.Max(state.Last.Value, _extraLast);

    public bool IsRead(ShardState state) => ReadThrough >= Last(state);

    /// <summary>Looks above the tail if the log's place has another epoch than at the last look; a constant one never loses anything.</summary>
    public async Task ProbeIfFailedOverAsync(ShardState state, Epoch epoch, CancellationToken cancellationToken)
    {
        if (epoch != _probedEpoch && !_runtime.Breaks(BrokenRules.NoProbe))
        {
            await ProbeAsync(state, cancellationToken);
            _probedEpoch = epoch;
        }
    }

    /// <summary>Reads some more slots, and holes whose time has come. Whether there is more to read at once.</summary>
    public async Task<bool> ReadAsync(ShardState state, CancellationToken cancellationToken)
    {
        SinceClosed ??= state.IsClosed ? _runtime.StartElapsed() : null;
        if (IsDrained(state))
        {
            return false;
        }

        foreach (var hole in await _holes.TakeAsync(cancellationToken))
        {
            Add(hole, await _store.GetAsync(DocumentKeys.Entry(_prefix, new Offset(hole)), cancellationToken));
        }

        var last = Math.Min(Last(state), ReadThrough + SlotsAtATime);
        if (last > ReadThrough)
        {
            var documents = await _store.GetManyAsync(Keys(ReadThrough + 1, last), cancellationToken);
            foreach (var document in documents)
            {
                // Each slot for itself: an entry of a newer format stops here, and what was read before counts.
                Add(ReadThrough + 1, document);
                ReadThrough++;
            }
        }

        UpdateProgress();
        return ReadThrough < Last(state);
    }

    /// <summary>
    /// Looks above the tail: after a failover that took it back there can be entries (executions.md 3). Whether there are.
    /// </summary>
    public async Task<bool> ProbeAsync(ShardState state, CancellationToken cancellationToken)
    {
        var last = Last(state);
        var documents = await _store.GetManyAsync(Keys(last + 1, last + (4 * SlotsAtATime)), cancellationToken);
        var found = Array.FindLastIndex(documents, document => document.Exists);
        _extraLast = found < 0 ? _extraLast : last + 1 + found;
        return found >= 0;
    }

    /// <summary>Takes messages that are due, in order. They are on their way until <see cref="Moved"/> or <see cref="Return"/>.</summary>
    public List<DueKey> TakeDue(long now, int room)
    {
        var taken = new List<DueKey>();
        while (taken.Count < room && _index.TryPeek(out _, out var key) && key.Due <= now)
        {
            taken.Add(key);
            _index.Dequeue();
        }

        return taken;
    }

    public void Return(List<DueKey> taken) => taken.ForEach(key => _index.Enqueue(0, key));

    public void Moved(List<DueKey> taken)
    {
        foreach (var key in taken)
        {
            _moved = key > _moved ? key : _moved;
            _cache.Release(Shard, key.Offset);
        }

        _hasMoved = true;
        UpdateProgress();
    }

    /// <summary>The progress was stored.</summary>
    public void Saved() => _hasMoved &= !IsCurrent;

    /// <summary>The messages, in the order of their keys; null for one that cannot be understood.</summary>
    public async Task<List<ScheduleEnvelope?>> LoadAsync(List<DueKey> taken, CancellationToken cancellationToken)
    {
        var entries = new Dictionary<long, Entry>();
        foreach (var offsets in taken.Select(key => key.Offset).Distinct().Where(offset => !Cached(offset)).Chunk(SlotsAtATime).ToList())
        {
            var documents = await _store.GetManyAsync([.. offsets.Select(offset => DocumentKeys.Entry(_prefix, new Offset(offset)))], cancellationToken);
            for (var i = 0; i < offsets.Length; i++)
            {
                entries[offsets[i]] = documents[i].Exists
                    ? EntryCodec.Decode(documents[i].Content)
                    : throw new LeaseLostException($"{Shard}/{offsets[i]} was removed before it was moved: another holder has finished the log.");
            }
        }

        return [.. taken.Select(key => ScheduleHeader.Open(entries[key.Offset].Messages[key.Index]))];

        bool Cached(long offset)
        {
            if (_cache.Find(Shard, offset) is not { } entry)
            {
                return false;
            }

            entries[offset] = entry;
            return true;
        }
    }

    private void Add(long offset, StoredDocument document)
    {
        if (!document.Exists)
        {
            _holes.Add(offset);
            return;
        }

        var entry = EntryCodec.Decode(document.Content);
        _holes.Remove(offset);
        if (entry.IsUndecodable)
        {
            SetEntryAside(offset, entry.Error);
        }

        var unmoved = 0;
        for (var index = 0; index < entry.Messages.Length; index++)
        {
            if (ScheduleHeader.Due(entry.Messages[index]) is not { } due)
            {
                SetEntryAside(offset, null);
                continue;
            }

            var key = new DueKey(due, offset, index);
            if (!_before.IsMoved(key))
            {
                _index.Enqueue(0, key);
                unmoved++;
            }
        }

        _cache.Add(Shard, offset, entry, unmoved);
    }

    private void SetEntryAside(long offset, Exception? error)
    {
        if (_setAside.Add(offset))
        {
            ScheduleLog.EntrySetAside(_logger, Shard, offset, error);
        }
    }

    /// <summary>Until everything the former holder had looked at is read again, its progress stands: what is not read yet may be moved.</summary>
    private void UpdateProgress()
    {
        if (ReadThrough >= _before.Through)
        {
            Progress = Progress.After(_moved, Next, ReadThrough, _holes.Offsets);
        }
    }

    private DocumentKey[] Keys(long from, long to)
    {
        var keys = new DocumentKey[to - from + 1];
        for (var i = 0; i < keys.Length; i++)
        {
            keys[i] = DocumentKeys.Entry(_prefix, new Offset(from + i));
        }

        return keys;
    }
}

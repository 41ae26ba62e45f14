using System.Runtime.InteropServices;

namespace Pub.Storage.Memory;

/// <summary>A part of the documents of a <see cref="MemoryDocumentStore"/>, under one lock.</summary>
/// <remarks>
/// <para>Under <c>_lock</c>: everything. A document's bytes are never changed, only exchanged, so what was read stays as it is.</para>
/// <para>A waiter in <c>_waiters</c> waits for a version that is the current one: every write takes its key's waiters out and ends them.</para>
/// <para>Every document with a time to live has an element in <c>_expiries</c>; an element whose version is gone means nothing.</para>
/// </remarks>
internal sealed class MemoryStripe(TimeProvider time, Func<ulong> nextCas)
{
    // Removing what is due is spread over the writes, so that none of them takes long.
    private const int RemovedPerWrite = 4;

    private readonly Lock _lock = new();
    private readonly Dictionary<DocumentKey, MemoryDocument> _documents = [];
    private readonly Dictionary<DocumentKey, List<DocumentWaiter>> _waiters = [];
    private readonly PriorityQueue<(DocumentKey Key, Cas Cas), long> _expiries = new();
    private bool _closed;

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _documents.Count;
            }
        }
    }

    public StoredDocument Get(DocumentKey key)
    {
        lock (_lock)
        {
            return Find(key);
        }
    }

    public WriteResult Insert(DocumentKey key, ReadOnlyMemory<byte> content, TimeSpan? timeToLive)
    {
        var copy = content.ToArray();
        lock (_lock)
        {
            return Find(key).Exists ? new(WriteStatus.Exists) : new(WriteStatus.Applied, Write(key, copy, timeToLive));
        }
    }

    public WriteResult Replace(DocumentKey key, ReadOnlyMemory<byte> content, Cas cas, TimeSpan? timeToLive)
    {
        var copy = content.ToArray();
        lock (_lock)
        {
            var status = Compare(Find(key), cas);
            return status == WriteStatus.Applied ? new(status, Write(key, copy, timeToLive)) : new(status);
        }
    }

    public WriteResult Remove(DocumentKey key, Cas cas)
    {
        lock (_lock)
        {
            var current = Find(key);
            var status = Compare(current, cas == Cas.None ? current.Cas : cas);
            if (status == WriteStatus.Applied)
            {
                _documents.Remove(key);
                Wake(key, StoredDocument.Missing);
            }

            return new(status);
        }
    }

    public IncrementResult Increment(DocumentKey key, CounterPath path, long delta, TimeSpan? timeToLive)
    {
        lock (_lock)
        {
            var current = Find(key);
            if (!current.Exists)
            {
                return new(WriteStatus.Missing);
            }

            var content = JsonCounter.Add(current.Content.Span, path, delta, out var value);
            Write(key, content, timeToLive);
            return new(WriteStatus.Applied, value);
        }
    }

    public ValueTask<StoredDocument> WaitAsync(DocumentKey key, Cas processed, TimeSpan timeout, CancellationToken cancellationToken)
    {
        DocumentWaiter waiter;
        lock (_lock)
        {
            var current = Find(key);
            if (current.Cas != processed)
            {
                return new(current);
            }

            waiter = new DocumentWaiter(this, key);
            ref var waiters = ref CollectionsMarshal.GetValueRefOrAddDefault(_waiters, key, out _);
            (waiters ??= []).Add(waiter);
        }

        return waiter.WaitAsync(time, timeout, cancellationToken);
    }

    /// <summary>Takes out a waiter that ended by its timeout or cancellation.</summary>
    public void Forget(DocumentWaiter waiter)
    {
        lock (_lock)
        {
            if (_waiters.TryGetValue(waiter.Key, out var waiters) && waiters.Remove(waiter) && waiters.Count == 0)
            {
                _waiters.Remove(waiter.Key);
            }
        }
    }

    public void Close()
    {
        lock (_lock)
        {
            _closed = true;
            _documents.Clear();
            _expiries.Clear();
            foreach (var waiter in _waiters.Values.SelectMany(waiters => waiters))
            {
                waiter.Fail(Disposed());
            }

            _waiters.Clear();
        }
    }

    private static WriteStatus Compare(in StoredDocument current, Cas cas) =>
        !current.Exists ? WriteStatus.Missing : current.Cas == cas ? WriteStatus.Applied : WriteStatus.Moved;

    private static ObjectDisposedException Disposed() => new(nameof(MemoryDocumentStore));

    private StoredDocument Find(DocumentKey key)
    {
        if (_closed)
        {
            throw Disposed();
        }

        if (!_documents.TryGetValue(key, out var document) || document.Expires <= Now(document))
        {
            return StoredDocument.Missing;
        }

        return new(document.Content, document.Cas);
    }

    // The clock is asked only where there is a time to live.
    private long Now(in MemoryDocument document) => document.Expires == MemoryDocument.Never ? 0 : time.GetUtcNow().UtcTicks;

    private Cas Write(DocumentKey key, byte[] content, TimeSpan? timeToLive)
    {
        var cas = new Cas(nextCas());
        var expires = MemoryDocument.Never;
        if (timeToLive is not null || _expiries.Count > 0)
        {
            var now = time.GetUtcNow().UtcTicks;
            RemoveExpired(now);
            if (timeToLive is { } duration)
            {
                expires = now + Math.Min(duration.Ticks, MemoryDocument.Never - 1 - now);
                _expiries.Enqueue((key, cas), expires);
            }
        }

        _documents[key] = new(content, cas, expires);
        Wake(key, new(content, cas));
        return cas;
    }

    private void RemoveExpired(long now)
    {
        for (var i = 0; i < RemovedPerWrite && _expiries.TryPeek(out var due, out var expires) && expires <= now; i++)
        {
            _expiries.Dequeue();
            if (_documents.TryGetValue(due.Key, out var document) && document.Cas == due.Cas)
            {
                _documents.Remove(due.Key);
            }
        }
    }

    private void Wake(DocumentKey key, StoredDocument document)
    {
        if (_waiters.Count > 0 && _waiters.Remove(key, out var waiters))
        {
            foreach (var waiter in waiters)
            {
                waiter.End(document); // its continuations run elsewhere, not under the lock (Completion)
            }
        }
    }

    private readonly record struct MemoryDocument(byte[] Content, Cas Cas, long Expires)
    {
        public const long Never = long.MaxValue;
    }
}

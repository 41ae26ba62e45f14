using Pub.Storage;

namespace Pub.Benchmarks;

/// <summary>
/// Counts what passes: one operation a call, and one a document for a read of several. Removals and waits that ended without news are counted apart:
/// the former are cleaning up, the latter are idle reads.
/// </summary>
internal sealed class CountingStore(IDocumentStore inner) : IDocumentStore
{
    private long _reads;
    private long _writes;
    private long _increments;
    private long _waits;
    private long _idle;
    private long _removals;

    public int MaxDocumentBytes => inner.MaxDocumentBytes;

    public StoreCounts Counts => new(
        Interlocked.Read(ref _reads), Interlocked.Read(ref _writes), Interlocked.Read(ref _increments),
        Interlocked.Read(ref _waits), Interlocked.Read(ref _idle), Interlocked.Read(ref _removals));

    public ValueTask<StoredDocument> GetAsync(DocumentKey key, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _reads);
        return inner.GetAsync(key, cancellationToken);
    }

    public ValueTask<StoredDocument[]> GetManyAsync(IReadOnlyList<DocumentKey> keys, CancellationToken cancellationToken = default)
    {
        Interlocked.Add(ref _reads, keys.Count);
        return inner.GetManyAsync(keys, cancellationToken);
    }

    public ValueTask<WriteResult> InsertAsync(DocumentKey key, ReadOnlyMemory<byte> content, WriteOptions options = default)
    {
        Interlocked.Increment(ref _writes);
        return inner.InsertAsync(key, content, options);
    }

    public ValueTask<WriteResult> ReplaceAsync(DocumentKey key, ReadOnlyMemory<byte> content, Cas cas, WriteOptions options = default)
    {
        Interlocked.Increment(ref _writes);
        return inner.ReplaceAsync(key, content, cas, options);
    }

    public ValueTask<WriteResult> RemoveAsync(DocumentKey key, Cas cas = default, WriteOptions options = default)
    {
        Interlocked.Increment(ref _removals);
        return inner.RemoveAsync(key, cas, options);
    }

    public ValueTask<IncrementResult> IncrementAsync(DocumentKey key, CounterPath path, long delta, WriteOptions options = default)
    {
        Interlocked.Increment(ref _increments);
        return inner.IncrementAsync(key, path, delta, options);
    }

    public async ValueTask<StoredDocument> WaitAsync(DocumentKey key, Cas processed, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        try
        {
            var found = await inner.WaitAsync(key, processed, timeout, cancellationToken);
            Interlocked.Increment(ref found.Cas == processed ? ref _idle : ref _waits);
            return found;
        }
        catch (OperationCanceledException)
        {
            Interlocked.Increment(ref _idle);
            throw;
        }
    }

    public ValueTask<Epoch> GetEpochAsync(DocumentKey key, CancellationToken cancellationToken = default) => inner.GetEpochAsync(key, cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}

/// <summary>Operations of a store.</summary>
internal readonly record struct StoreCounts(long Reads, long Writes, long Increments, long Waits, long IdleWaits, long Removals)
{
    /// <summary>What the issue counts: everything but removals and idle reads.</summary>
    public long Operations => Reads + Writes + Increments + Waits;

    public static StoreCounts operator -(StoreCounts later, StoreCounts earlier) => new(
        later.Reads - earlier.Reads, later.Writes - earlier.Writes, later.Increments - earlier.Increments,
        later.Waits - earlier.Waits, later.IdleWaits - earlier.IdleWaits, later.Removals - earlier.Removals);
}

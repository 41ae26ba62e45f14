using Pub.Storage;

namespace Pub.Tests.Topology;

/// <summary>Counts what goes to the store; waits do not count. Can do something before an operation.</summary>
internal sealed class CountingStore(IDocumentStore inner) : IDocumentStore
{
    private int _operations;

    public int Operations => _operations;

    /// <summary>Called before every read and write with its key; null for nothing.</summary>
    public Func<DocumentKey, Task>? Before { get; set; }

    public int MaxDocumentBytes => inner.MaxDocumentBytes;

    public async ValueTask<StoredDocument> GetAsync(DocumentKey key, CancellationToken cancellationToken = default)
    {
        await CountAsync(key);
        return await inner.GetAsync(key, cancellationToken);
    }

    public async ValueTask<StoredDocument[]> GetManyAsync(IReadOnlyList<DocumentKey> keys, CancellationToken cancellationToken = default)
    {
        foreach (var key in keys)
        {
            await CountAsync(key);
        }

        return await inner.GetManyAsync(keys, cancellationToken);
    }

    public async ValueTask<WriteResult> InsertAsync(DocumentKey key, ReadOnlyMemory<byte> content, WriteOptions options = default)
    {
        await CountAsync(key);
        return await inner.InsertAsync(key, content, options);
    }

    public async ValueTask<WriteResult> ReplaceAsync(DocumentKey key, ReadOnlyMemory<byte> content, Cas cas, WriteOptions options = default)
    {
        await CountAsync(key);
        return await inner.ReplaceAsync(key, content, cas, options);
    }

    public async ValueTask<WriteResult> RemoveAsync(DocumentKey key, Cas cas = default, WriteOptions options = default)
    {
        await CountAsync(key);
        return await inner.RemoveAsync(key, cas, options);
    }

    public async ValueTask<IncrementResult> IncrementAsync(DocumentKey key, CounterPath path, long delta, WriteOptions options = default)
    {
        await CountAsync(key);
        return await inner.IncrementAsync(key, path, delta, options);
    }

    public ValueTask<StoredDocument> WaitAsync(DocumentKey key, Cas processed, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        inner.WaitAsync(key, processed, timeout, cancellationToken);

    public ValueTask<Epoch> GetEpochAsync(DocumentKey key, CancellationToken cancellationToken = default) => inner.GetEpochAsync(key, cancellationToken);

    public ValueTask DisposeAsync() => default;

    private Task CountAsync(DocumentKey key)
    {
        Interlocked.Increment(ref _operations);
        return Before?.Invoke(key) ?? Task.CompletedTask;
    }
}

using Pub.Storage;

namespace Pub.Tests.Topology;

/// <summary>A process's way to the store that ends at its k-th write, before or after that write has happened: the process is dead from then on.</summary>
internal sealed class StoppingStore(IDocumentStore inner, int writes, bool lastHappens) : IDocumentStore
{
    private int _left = writes;

    public bool IsDead => _left < 0;

    public int MaxDocumentBytes => inner.MaxDocumentBytes;

    public ValueTask<StoredDocument> GetAsync(DocumentKey key, CancellationToken cancellationToken = default) => Alive().GetAsync(key, cancellationToken);

    public ValueTask<StoredDocument[]> GetManyAsync(IReadOnlyList<DocumentKey> keys, CancellationToken cancellationToken = default) =>
        Alive().GetManyAsync(keys, cancellationToken);

    public ValueTask<WriteResult> InsertAsync(DocumentKey key, ReadOnlyMemory<byte> content, WriteOptions options = default) =>
        WriteAsync(() => inner.InsertAsync(key, content, options));

    public ValueTask<WriteResult> ReplaceAsync(DocumentKey key, ReadOnlyMemory<byte> content, Cas cas, WriteOptions options = default) =>
        WriteAsync(() => inner.ReplaceAsync(key, content, cas, options));

    public ValueTask<WriteResult> RemoveAsync(DocumentKey key, Cas cas = default, WriteOptions options = default) =>
        WriteAsync(() => inner.RemoveAsync(key, cas, options));

    public ValueTask<IncrementResult> IncrementAsync(DocumentKey key, CounterPath path, long delta, WriteOptions options = default) =>
        WriteAsync(() => inner.IncrementAsync(key, path, delta, options));

    public ValueTask<StoredDocument> WaitAsync(DocumentKey key, Cas processed, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        Alive().WaitAsync(key, processed, timeout, cancellationToken);

    public ValueTask<Epoch> GetEpochAsync(DocumentKey key, CancellationToken cancellationToken = default) => Alive().GetEpochAsync(key, cancellationToken);

    public ValueTask DisposeAsync() => default;

    private IDocumentStore Alive() => IsDead ? throw new ProcessDiedException() : inner;

    private async ValueTask<T> WriteAsync<T>(Func<ValueTask<T>> write)
    {
        if (Interlocked.Decrement(ref _left) >= 0)
        {
            return await write();
        }

        if (_left == -1 && lastHappens)
        {
            await write();
        }

        throw new ProcessDiedException();
    }
}

internal sealed class ProcessDiedException() : Exception("The process is dead.");

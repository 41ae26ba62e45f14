using Pub.Storage;
using Pub.Storage.Memory;

namespace Pub.Transport.Tests;

/// <summary>A store in memory that can be away. What waits while it goes away goes on waiting.</summary>
internal sealed class SwitchStore : IDocumentStore
{
    private readonly MemoryDocumentStore _store = new();
    private volatile bool _isAway;

    public bool IsAway
    {
        get => _isAway;
        set => _isAway = value;
    }

    public int MaxDocumentBytes => _store.MaxDocumentBytes;

    private MemoryDocumentStore Store => _isAway ? throw new StoreUnavailableException("The store is away.") : _store;

    public async ValueTask<StoredDocument> GetAsync(DocumentKey key, CancellationToken cancellationToken = default) =>
        await Store.GetAsync(key, cancellationToken);

    public async ValueTask<StoredDocument[]> GetManyAsync(IReadOnlyList<DocumentKey> keys, CancellationToken cancellationToken = default) =>
        await Store.GetManyAsync(keys, cancellationToken);

    public async ValueTask<WriteResult> InsertAsync(DocumentKey key, ReadOnlyMemory<byte> content, WriteOptions options = default) =>
        await Store.InsertAsync(key, content, options);

    public async ValueTask<WriteResult> ReplaceAsync(DocumentKey key, ReadOnlyMemory<byte> content, Cas cas, WriteOptions options = default) =>
        await Store.ReplaceAsync(key, content, cas, options);

    public async ValueTask<WriteResult> RemoveAsync(DocumentKey key, Cas cas = default, WriteOptions options = default) =>
        await Store.RemoveAsync(key, cas, options);

    public async ValueTask<IncrementResult> IncrementAsync(DocumentKey key, CounterPath path, long delta, WriteOptions options = default) =>
        await Store.IncrementAsync(key, path, delta, options);

    public async ValueTask<StoredDocument> WaitAsync(DocumentKey key, Cas processed, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        await Store.WaitAsync(key, processed, timeout, cancellationToken);

    public async ValueTask<Epoch> GetEpochAsync(DocumentKey key, CancellationToken cancellationToken = default) => await Store.GetEpochAsync(key, cancellationToken);

    public ValueTask DisposeAsync() => _store.DisposeAsync();
}

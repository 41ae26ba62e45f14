namespace Pub.Storage;

/// <summary>
/// A store that is opened when it is first used, so that registration can hand it out before it is there. An opening that fails fails the calls that
/// waited for it; the next call tries again.
/// </summary>
/// <remarks>
/// <code>
/// at most one opening is under way; once _store is set it never changes
/// after disposal nothing is opened
/// </code>
/// <c>_opening</c>, <c>_isDisposed</c> and the setting of <c>_store</c> are guarded by <c>_lock</c>.
/// </remarks>
/// <param name="maxDocumentBytes">What the store will say; asked for before it is open.</param>
/// <param name="open">Opens the store; the token is cancelled by disposal.</param>
internal sealed class DeferredStore(int maxDocumentBytes, Func<CancellationToken, ValueTask<IDocumentStore>> open) : IDocumentStore
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _disposing = new();
    private volatile IDocumentStore? _store;
    private Task<IDocumentStore>? _opening;
    private bool _isDisposed;

    public int MaxDocumentBytes { get; } = maxDocumentBytes;

    /// <summary>Opens the store if it is not open. The token ends the waiting, not the opening.</summary>
    public async ValueTask<IDocumentStore> OpenAsync(CancellationToken cancellationToken = default) =>
        _store ?? await Opening().WaitAsync(cancellationToken);

    public ValueTask<StoredDocument> GetAsync(DocumentKey key, CancellationToken cancellationToken = default)
    {
        return _store is { } store ? store.GetAsync(key, cancellationToken) : OpenFirst();

        async ValueTask<StoredDocument> OpenFirst() => await (await OpenAsync(cancellationToken)).GetAsync(key, cancellationToken);
    }

    public ValueTask<StoredDocument[]> GetManyAsync(IReadOnlyList<DocumentKey> keys, CancellationToken cancellationToken = default)
    {
        return _store is { } store ? store.GetManyAsync(keys, cancellationToken) : OpenFirst();

        async ValueTask<StoredDocument[]> OpenFirst() => await (await OpenAsync(cancellationToken)).GetManyAsync(keys, cancellationToken);
    }

    public ValueTask<WriteResult> InsertAsync(DocumentKey key, ReadOnlyMemory<byte> content, WriteOptions options = default)
    {
        return _store is { } store ? store.InsertAsync(key, content, options) : OpenFirst();

        async ValueTask<WriteResult> OpenFirst() => await (await OpenAsync()).InsertAsync(key, content, options);
    }

    public ValueTask<WriteResult> ReplaceAsync(DocumentKey key, ReadOnlyMemory<byte> content, Cas cas, WriteOptions options = default)
    {
        return _store is { } store ? store.ReplaceAsync(key, content, cas, options) : OpenFirst();

        async ValueTask<WriteResult> OpenFirst() => await (await OpenAsync()).ReplaceAsync(key, content, cas, options);
    }

    public ValueTask<WriteResult> RemoveAsync(DocumentKey key, Cas cas = default, WriteOptions options = default)
    {
        return _store is { } store ? store.RemoveAsync(key, cas, options) : OpenFirst();

        async ValueTask<WriteResult> OpenFirst() => await (await OpenAsync()).RemoveAsync(key, cas, options);
    }

    public ValueTask<IncrementResult> IncrementAsync(DocumentKey key, CounterPath path, long delta, WriteOptions options = default)
    {
        return _store is { } store ? store.IncrementAsync(key, path, delta, options) : OpenFirst();

        async ValueTask<IncrementResult> OpenFirst() => await (await OpenAsync()).IncrementAsync(key, path, delta, options);
    }

    public ValueTask<StoredDocument> WaitAsync(DocumentKey key, Cas processed, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        return _store is { } store ? store.WaitAsync(key, processed, timeout, cancellationToken) : OpenFirst();

        async ValueTask<StoredDocument> OpenFirst() => await (await OpenAsync(cancellationToken)).WaitAsync(key, processed, timeout, cancellationToken);
    }

    public ValueTask<Epoch> GetEpochAsync(DocumentKey key, CancellationToken cancellationToken = default)
    {
        return _store is { } store ? store.GetEpochAsync(key, cancellationToken) : OpenFirst();

        async ValueTask<Epoch> OpenFirst() => await (await OpenAsync(cancellationToken)).GetEpochAsync(key, cancellationToken);
    }

    /// <summary>Closes the store if it was opened; an opening that is under way is cancelled.</summary>
    public async ValueTask DisposeAsync()
    {
        Task<IDocumentStore>? opening;
        lock (_lock)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
            opening = _opening;
        }

        _disposing.Cancel();
        if (opening is not null)
        {
            await ((Task)opening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }

        if (_store is { } store)
        {
            await store.DisposeAsync();
        }
    }

    private Task<IDocumentStore> Opening()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(IDocumentStore));
            if (_opening is null or { IsFaulted: true } or { IsCanceled: true })
            {
                _opening = OpenCoreAsync();
            }

            return _opening;
        }
    }

    private async Task<IDocumentStore> OpenCoreAsync()
    {
        await Task.Yield(); // away from the lock
        var store = await open(_disposing.Token);
        if (store.MaxDocumentBytes < MaxDocumentBytes)
        {
            await store.DisposeAsync();
            throw new InvalidOperationException($"The store takes {store.MaxDocumentBytes} bytes a document; it was registered with {MaxDocumentBytes}.");
        }

        return _store = store;
    }
}

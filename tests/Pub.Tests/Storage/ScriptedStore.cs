using Pub.Storage;

namespace Pub.Tests.Storage;

/// <summary>A store whose next inserts and replaces end as the test says. Everything else goes through.</summary>
internal sealed class ScriptedStore(IDocumentStore inner) : IDocumentStore
{
    private readonly Queue<(bool Applies, Exception Error)> _script = [];
    private Exception? _later;

    public int Writes { get; private set; }

    public int MaxDocumentBytes => inner.MaxDocumentBytes;

    public void Next(bool applies, Exception error) => _script.Enqueue((applies, error));

    public void AllLater(Exception error) => _later = error;

    public void WriteBehindTheBack(DocumentKey key, ReadOnlyMemory<byte> content)
    {
        // The memory store completes at once.
        var read = inner.GetAsync(key).AsTask();
        Assert.True(read.IsCompletedSuccessfully);
        var write = inner.ReplaceAsync(key, content, read.GetAwaiter().GetResult().Cas).AsTask();
        Assert.True(write.GetAwaiter().GetResult().IsApplied);
    }

    public ValueTask<StoredDocument> GetAsync(DocumentKey key, CancellationToken cancellationToken = default) => inner.GetAsync(key, cancellationToken);

    public ValueTask<StoredDocument[]> GetManyAsync(IReadOnlyList<DocumentKey> keys, CancellationToken cancellationToken = default) =>
        inner.GetManyAsync(keys, cancellationToken);

    public ValueTask<WriteResult> InsertAsync(DocumentKey key, ReadOnlyMemory<byte> content, WriteOptions options = default) =>
        WriteAsync(() => inner.InsertAsync(key, content, options));

    public ValueTask<WriteResult> ReplaceAsync(DocumentKey key, ReadOnlyMemory<byte> content, Cas cas, WriteOptions options = default) =>
        WriteAsync(() => inner.ReplaceAsync(key, content, cas, options));

    public ValueTask<WriteResult> RemoveAsync(DocumentKey key, Cas cas = default, WriteOptions options = default) => inner.RemoveAsync(key, cas, options);

    public ValueTask<IncrementResult> IncrementAsync(DocumentKey key, CounterPath path, long delta, WriteOptions options = default) =>
        inner.IncrementAsync(key, path, delta, options);

    public ValueTask<StoredDocument> WaitAsync(DocumentKey key, Cas processed, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        inner.WaitAsync(key, processed, timeout, cancellationToken);

    public ValueTask<Epoch> GetEpochAsync(DocumentKey key, CancellationToken cancellationToken = default) => inner.GetEpochAsync(key, cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private async ValueTask<WriteResult> WriteAsync(Func<ValueTask<WriteResult>> write)
    {
        Writes++;
        if (_script.TryDequeue(out var next))
        {
            if (next.Applies)
            {
                await write();
            }

            throw next.Error;
        }

        return _later is null ? await write() : throw _later;
    }
}

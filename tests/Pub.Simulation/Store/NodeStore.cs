using System.Text;
using Pub.Simulation.Kernel;
using Pub.Storage;

namespace Pub.Simulation.Store;

/// <summary>
/// One process's connection to the simulated _cluster. It delays each operation on the way there and back, so that concurrent ones overtake each other, and
/// goes wrong as <see cref="StoreFaults"/> says; a scenario can hold single operations (<see cref="HoldNext"/>).
/// </summary>
internal sealed partial class NodeStore : IDocumentStore
{
    private readonly SimCluster _cluster;
    private readonly SimProcess _process;
    private readonly List<Hold> _holds = [];
    private bool _isDisposed;

    public NodeStore(SimCluster cluster, SimProcess process)
    {
        _cluster = cluster;
        _process = process;
    }

    public int MaxDocumentBytes { get; init; } = 1_000_000;

    /// <summary>While set nothing of this process reaches the cluster: reads are unavailable, writes unknown and never applied.</summary>
    public bool IsCutOff { get; set; }

    public long Reads { get; private set; }

    public int OpenWaits { get; private set; }

    /// <summary>Holds the next operation of this kind whose key contains the text, before it reaches the _cluster.</summary>
    public Hold HoldNext(StoreOperation operation, string keyContains)
    {
        var hold = new Hold(operation, keyContains);
        _holds.Add(hold);
        return hold;
    }

    public ValueTask<StoredDocument> GetAsync(DocumentKey key, CancellationToken cancellationToken = default)
    {
        Reads++;
        return new(Read(StoreOperation.Get, key, () => _cluster.Read(key), cancellationToken));
    }

    public ValueTask<Epoch> GetEpochAsync(DocumentKey key, CancellationToken cancellationToken = default) =>
        new(Read(StoreOperation.Epoch, key, () => _cluster.ReadEpoch(key), cancellationToken));

    public ValueTask<StoredDocument[]> GetManyAsync(IReadOnlyList<DocumentKey> keys, CancellationToken cancellationToken = default)
    {
        if (keys.Count == 0)
        {
            return new(Array.Empty<StoredDocument>());
        }

        Reads++;
        var asked = keys.ToArray();
        var documents = new StoredDocument[asked.Length];
        return new(Read(StoreOperation.GetMany, asked[0], () => ReadInParts(asked, documents), cancellationToken));
    }

    public ValueTask<WriteResult> InsertAsync(DocumentKey key, ReadOnlyMemory<byte> content, WriteOptions options = default)
    {
        var bytes = Copy(content);
        return new(Write(StoreOperation.Insert, key, () => _cluster.Insert(_process.Name, key, bytes, options)));
    }

    public ValueTask<WriteResult> ReplaceAsync(DocumentKey key, ReadOnlyMemory<byte> content, Cas cas, WriteOptions options = default)
    {
        var bytes = Copy(content);
        return new(Write(StoreOperation.Replace, key, () => _cluster.Replace(_process.Name, key, bytes, cas, options)));
    }

    public ValueTask<WriteResult> RemoveAsync(DocumentKey key, Cas cas = default, WriteOptions options = default) =>
        new(Write(StoreOperation.Remove, key, () => _cluster.Remove(_process.Name, key, cas, options)));

    public ValueTask<IncrementResult> IncrementAsync(DocumentKey key, CounterPath path, long delta, WriteOptions options = default) =>
        new(Write(StoreOperation.Increment, key, () => _cluster.Increment(_process.Name, key, path, delta, options)));

    public ValueTask<StoredDocument> WaitAsync(DocumentKey key, Cas processed, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        Check(key);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<StoredDocument>(cancellationToken);
        }

        _cluster.Operations[(int)StoreOperation.Wait]++;
        var wait = new OpenWait(this, key, processed);
        return new(wait.BeginAsync(timeout, cancellationToken));
    }

    public ValueTask DisposeAsync()
    {
        _isDisposed = true;
        foreach (var wait in _waits.ToArray())
        {
            wait.EndDisposed();
        }

        return ValueTask.CompletedTask;
    }

    private Hold? TakeHold(StoreOperation operation, DocumentKey key)
    {
        var hold = _holds.Find(candidate => candidate.Matches(operation, key));
        if (hold is not null)
        {
            _holds.Remove(hold);
        }

        return hold;
    }

    private void Check(DocumentKey key)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (string.IsNullOrEmpty(key.Id) || Encoding.UTF8.GetByteCount(key.Id) > DocumentKey.MaxIdBytes)
        {
            throw new ArgumentException($"'{key}' is no key.", nameof(key));
        }
    }

    private byte[] Copy(ReadOnlyMemory<byte> content)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return content.Length <= MaxDocumentBytes
            ? content.ToArray()
            : throw new ArgumentException($"A document has {content.Length} bytes; at most {MaxDocumentBytes} are allowed.", nameof(content));
    }

    private Task<T> Read<T>(StoreOperation operation, DocumentKey key, Func<T> read, CancellationToken cancellationToken)
    {
        Check(key);
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<T>(cancellationToken);
        }

        var call = new StoreCall<T>(this, operation, key, () => Task.FromResult(read()), cancellationToken);
        call.Begin();
        return call.Answer;
    }

    private Task<T> Read<T>(StoreOperation operation, DocumentKey key, Func<Task<T>> read, CancellationToken cancellationToken)
    {
        Check(key);
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<T>(cancellationToken);
        }

        var call = new StoreCall<T>(this, operation, key, read, cancellationToken);
        call.Begin();
        return call.Answer;
    }

    private Task<T> Write<T>(StoreOperation operation, DocumentKey key, Func<T> write)
    {
        Check(key);
        var call = new StoreCall<T>(this, operation, key, () => Task.FromResult(write()), CancellationToken.None);
        call.Begin();
        return call.Answer;
    }

    // Not a snapshot: the documents are read in two goes, with other processes' writes between.
    private async Task<StoredDocument[]> ReadInParts(DocumentKey[] keys, StoredDocument[] documents)
    {
        var later = new List<int>();
        for (var i = 0; i < keys.Length; i++)
        {
            if (keys.Length > 1 && _cluster.Random.Next(4) == 0)
            {
                later.Add(i);
            }
            else
            {
                documents[i] = _cluster.Read(keys[i]);
            }
        }

        if (later.Count > 0)
        {
            await Pause(_cluster.Draw(_cluster.Faults.Latency));
            foreach (var i in later)
            {
                documents[i] = _cluster.Read(keys[i]);
            }
        }

        _cluster.Trace.Add(_process.Name, "read", $"{keys.Length} from {keys[0]}: {string.Concat(documents.Select(document => document.Exists ? '+' : '-'))}");
        return documents;
    }

    private Task Pause(TimeSpan delay)
    {
        var done = new TaskCompletionSource();
        _cluster.After(delay, done.SetResult);
        return done.Task;
    }
}

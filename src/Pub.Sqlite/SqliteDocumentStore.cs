using System.Text;
using Pub.Sqlite.Files;
using Pub.Sqlite.Reading;
using Pub.Sqlite.Waiting;
using Pub.Sqlite.Writing;
using Pub.Storage;

namespace Pub.Sqlite;

/// <summary>
/// The embedded durable store: one SQLite file on a local disk, for any number of processes of one machine. Reads run on the caller's thread and never wait for
/// the writer; writes gather into transactions, and durable ones are answered after the sync.
/// </summary>
public sealed class SqliteDocumentStore : IDocumentStore
{
    private readonly WriteOperationPool _operations = new();
    private readonly WaiterTable _waiters = new();
    private readonly AnsweredDocuments _answered = new();
    private readonly ReaderPool _readers;
    private readonly DocumentReader _reader;
    private readonly DocumentWaits _waits;
    private readonly WriteQueue _queue;
    private readonly DocumentWriter _writer;
    private readonly ExpirySweep _sweep;
    private int _isDisposed;

    private SqliteDocumentStore(SqliteStoreOptions options, PubRuntime runtime, DocumentConnection connection)
    {
        _readers = new ReaderPool(options.Path, options.CacheBytes / 2, Disposed);
        _reader = new DocumentReader(options.Path, _readers, _answered, runtime);
        _queue = new WriteQueue(Disposed);
        _waits = new DocumentWaits(_reader, _waiters, _queue, runtime);
        Foreign = new ForeignChanges(_reader, _waiters, runtime);
        connection.SetCache(options.CacheBytes / 2);
        if (options.MaxPages is { } pages)
        {
            connection.Run($"PRAGMA max_page_count = {pages}");
        }

        _writer = new DocumentWriter(options, runtime, connection, _queue, _waiters, Foreign, _answered);
        _writer.Start();
        _sweep = new ExpirySweep(options.SweepInterval, runtime, SweepAsync);
    }

    /// <inheritdoc/>
    public int MaxDocumentBytes => MaxBytes;

    internal const int MaxBytes = 20 << 20;

    /// <summary>How often the log was synced to disk.</summary>
    internal long Syncs => _writer.Syncs;

    /// <summary>How many transactions were sealed.</summary>
    internal long Transactions => _writer.Transactions;

    /// <summary>How often the write-ahead log was started anew.</summary>
    internal long LogRestarts => _writer.LogRestarts;

    internal ForeignChanges Foreign { get; }

    /// <summary>Opens the file, and makes it if it does not exist.</summary>
    /// <param name="options">Copied; later changes have no effect.</param>
    /// <param name="time">Time for timeouts and times to live; the system's by default.</param>
    /// <param name="cancellationToken">Ends the waiting for other processes that hold the file.</param>
    /// <exception cref="ArgumentException">Settings are out of their range; all of them are named.</exception>
    /// <exception cref="StoreCorruptException">The file is damaged, or was made by something else than Pub. It is left as it is.</exception>
    /// <exception cref="FormatVersionException">The file was made by a newer version of Pub. It is left as it is.</exception>
    /// <exception cref="StoreUnavailableException">Other processes held the file for too long.</exception>
    /// <exception cref="PubException">The file cannot be opened: missing directory, read-only, no permission.</exception>
    public static ValueTask<SqliteDocumentStore> OpenAsync(
        SqliteStoreOptions options, TimeProvider? time = null, CancellationToken cancellationToken = default) =>
        OpenAsync(options, new PubRuntime(time), cancellationToken);

    internal static async ValueTask<SqliteDocumentStore> OpenAsync(SqliteStoreOptions options, PubRuntime runtime, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        options = options.Copy();
        var waited = runtime.StartElapsed();
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            DocumentConnection? connection = null;
            try
            {
                connection = FileFormat.OpenWriter(options.Path);
                return new SqliteDocumentStore(options, runtime, connection);
            }
            catch (SqliteFailureException failure) when (SqliteErrors.IsBusy(failure.Code))
            {
                connection?.Dispose();
                if (waited.Elapsed >= options.BusyTimeout)
                {
                    throw SqliteErrors.Busy(options.Path, options.BusyTimeout);
                }
            }
            catch (SqliteFailureException failure)
            {
                connection?.Dispose();
                throw SqliteErrors.ToPubException(options.Path, failure);
            }

            await runtime.Delay(TimeSpan.FromMilliseconds(5), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public ValueTask<StoredDocument> GetAsync(DocumentKey key, CancellationToken cancellationToken = default)
    {
        Check(key);
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(_reader.Read(key));
    }

    /// <inheritdoc/>
    public ValueTask<StoredDocument[]> GetManyAsync(IReadOnlyList<DocumentKey> keys, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        ThrowIfDisposed();
        for (var i = 0; i < keys.Count; i++)
        {
            Check(keys[i]);
        }

        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(keys.Count == 0 ? [] : _reader.Read(keys));
    }

    /// <inheritdoc/>
    public ValueTask<WriteResult> InsertAsync(DocumentKey key, ReadOnlyMemory<byte> content, WriteOptions options = default) =>
        WriteAsync(WriteKind.Insert, key, content, default, options);

    /// <inheritdoc/>
    public ValueTask<WriteResult> ReplaceAsync(DocumentKey key, ReadOnlyMemory<byte> content, Cas cas, WriteOptions options = default) =>
        WriteAsync(WriteKind.Replace, key, content, cas, options);

    /// <inheritdoc/>
    public ValueTask<WriteResult> RemoveAsync(DocumentKey key, Cas cas = default, WriteOptions options = default) =>
        WriteAsync(WriteKind.Remove, key, default, cas, options);

    /// <inheritdoc/>
    public ValueTask<IncrementResult> IncrementAsync(DocumentKey key, CounterPath path, long delta, WriteOptions options = default)
    {
        Check(key);
        ArgumentException.ThrowIfNullOrEmpty(path.Property, nameof(path));
        var operation = _operations.Rent();
        operation.AskIncrement(key, path, delta, options);
        _queue.Add(operation);
        return new ValueTask<IncrementResult>(operation, operation.Version);
    }

    /// <inheritdoc/>
    public ValueTask<StoredDocument> WaitAsync(DocumentKey key, Cas processed, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        Check(key);
        cancellationToken.ThrowIfCancellationRequested();
        return _waits.WaitAsync(key, processed, timeout, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<Epoch> GetEpochAsync(DocumentKey key, CancellationToken cancellationToken = default)
    {
        Check(key);
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(new Epoch((ulong)_reader.ReadEpoch(), (ulong)_writer.EpochsLost));
    }

    /// <summary>Executes what was asked already, then closes the file. Waits end with <see cref="ObjectDisposedException"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            _sweep.Dispose();
            _waiters.Close(Disposed());
            _readers.Dispose();
        }

        await _writer.DisposeAsync().ConfigureAwait(false);
    }

    private static ObjectDisposedException Disposed() => new(nameof(SqliteDocumentStore));

    private ValueTask<WriteResult> WriteAsync(WriteKind kind, DocumentKey key, ReadOnlyMemory<byte> content, Cas cas, WriteOptions options)
    {
        Check(key);
        if (content.Length > MaxDocumentBytes)
        {
            throw new ArgumentException($"The content of {key} has {content.Length} bytes; at most {MaxDocumentBytes} are allowed.", nameof(content));
        }

        var operation = _operations.Rent();
        operation.Ask(kind, key, content, cas, options);
        _queue.Add(operation);
        return new ValueTask<WriteResult>(operation, operation.Version);
    }

    /// <summary>Removes some expired documents. Answers whether there are more.</summary>
    private async Task<bool> SweepAsync()
    {
        var operation = _operations.Rent();
        operation.Ask(WriteKind.Sweep, default, default, default, default);
        _queue.Add(operation);
        var swept = await new ValueTask<IncrementResult>(operation, operation.Version).ConfigureAwait(false);
        return swept.Value >= WriteTransaction.SweepLimit;
    }

    private void Check(DocumentKey key)
    {
        ThrowIfDisposed();
        ArgumentException.ThrowIfNullOrEmpty(key.Id, nameof(key));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)key.Collection, (uint)DocumentSql.Collections - 1, nameof(key));
        if (key.Id.Length > DocumentKey.MaxIdBytes / 3 && Encoding.UTF8.GetByteCount(key.Id) > DocumentKey.MaxIdBytes)
        {
            throw new ArgumentException($"The id that begins '{key.Id[..20]}' has more than {DocumentKey.MaxIdBytes} bytes of UTF-8.", nameof(key));
        }
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(Volatile.Read(ref _isDisposed) != 0, this);
}

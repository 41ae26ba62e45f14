using System.Diagnostics.CodeAnalysis;
using Pub.Sqlite.Files;
using Pub.Sqlite.Reading;
using Pub.Sqlite.Waiting;
using Pub.Storage;

namespace Pub.Sqlite.Writing;

/// <summary>
/// The one writer: a thread that puts everything that has gathered into one transaction, seals it, syncs it if a durable write is in it, and answers.
/// </summary>
/// <remarks>
/// <para>A durable operation is answered only after a sync that began after its transaction was sealed.</para>
/// <para>After a failed sync nobody knows what is on the disk: nothing is written any more until the store is opened anew.</para>
/// <para>Whenever answered increments were lost, the epoch is raised in the file before, or together with, the next write.</para>
/// </remarks>
internal sealed class DocumentWriter : IAsyncDisposable
{
    private const int MaxOperations = 4_096;
    private const long MaxBytes = 8 << 20;
    private const int LingerMilliseconds = 1;
    private const int AlertFactor = 4;

    private static readonly TimeSpan LongestFilling = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan Alert = TimeSpan.FromMilliseconds(250);

    private readonly string _path;
    private readonly SqliteStoreOptions _options;
    private readonly PubRuntime _runtime;
    private readonly DocumentConnection _connection;
    private readonly WriteQueue _queue;
    private readonly WaiterTable _waiters;
    private readonly ForeignChanges _foreign;
    private readonly WriteTransaction _transaction;
    private readonly LogFile _log;
    private readonly LogDrain _drain;
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ManualResetEventSlim _never = new(false);
    private readonly List<WriteOperation> _sealed = [];
    private List<WriteOperation> _batch = [];
    private int _at;
    private bool _sealedDurable;
    private bool _mustRaiseEpoch;
    private long _begun;
    private long _dataVersion;
    private long _foreignNoticed;
    private long _epochsLost;
    private Exception? _broken;

    public DocumentWriter(
        SqliteStoreOptions options, PubRuntime runtime, DocumentConnection connection, CasSource versions, WriteQueue queue, WaiterTable waiters,
        ForeignChanges foreign, AnsweredDocuments answered)
    {
        (_path, _options, _runtime, _connection, _queue, _waiters, _foreign) = (options.Path, options, runtime, connection, queue, waiters, foreign);
        _transaction = new WriteTransaction(connection, versions, answered, runtime);
        _log = new LogFile(options.Path);
        _drain = new LogDrain(options.Path, options.LogBytes);
        _dataVersion = ReadDataVersion();
    }

    public long Syncs => _log.Syncs;

    public long LogRestarts => _drain.Restarts;

    public long Transactions { get; private set; }

    /// <summary>How often answered increments were lost by this process.</summary>
    public long EpochsLost => Volatile.Read(ref _epochsLost);

    public void Start() => new Thread(Run) { IsBackground = true, Name = "pub-sqlite-writer" }.Start();

    /// <summary>Executes what was asked already, and closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Close();
        await _stopped.Task.ConfigureAwait(false);
    }

    private void Run()
    {
        while (true)
        {
            try
            {
                if (_queue.Take(ref _batch, UntilNextWatch()))
                {
                    RunBatch();
                }
                else if (_queue.IsClosed)
                {
                    break;
                }
                else
                {
                    NoticeForeignChanges();
                }
            }
            catch (Exception exception)
            {
                FailEverything(exception);
            }
        }

        _drain.Dispose();
        _log.Dispose();
        _never.Dispose();
        _connection.Dispose();
        _stopped.SetResult();
    }

    private void RunBatch()
    {
        for (_at = 0; _at < _batch.Count;)
        {
            if (_broken is not null)
            {
                FailRest(_broken);
            }
            else if (TryBegin(out var refusal))
            {
                RunTransaction();
                _drain.AfterTransaction(_connection);
            }
            else
            {
                FailRest(refusal);
            }
        }

        _batch.Clear();
    }

    private void RunTransaction()
    {
        try
        {
            while (_transaction.Operations < MaxOperations && _transaction.Bytes < MaxBytes && (_at < _batch.Count || TakeMore()))
            {
                _transaction.Execute(_batch[_at++]);
            }

            Seal();
        }
        catch (SqliteFailureException failure)
        {
            Undo(failure, out var operations);
            TryEachAlone(operations, failure);
        }

        AnswerSealed();
    }

    /// <summary>
    /// What came while the transaction was filled joins it. If nobody waits for its end, because it has increments only, it stays open for a moment: the
    /// insert that usually follows an increment shares its transaction and its sync. Not for long: until the end other processes see nothing and wait.
    /// </summary>
    private bool TakeMore()
    {
        _batch.Clear();
        _at = 0;
        if (_runtime.Time.GetElapsedTime(_begun) > LongestFilling)
        {
            return false;
        }

        return _queue.Take(ref _batch, 0) || (_transaction.Unanswered.Count == 0 && _queue.Take(ref _batch, LingerMilliseconds));
    }

    private bool TryBegin([NotNullWhen(false)] out PubException? refusal)
    {
        var waited = _runtime.StartElapsed();
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                _transaction.Begin(_mustRaiseEpoch);
                NoticeForeignChanges();
                _begun = _runtime.Time.GetTimestamp();
                refusal = null;
                return true;
            }
            catch (SqliteFailureException failure)
            {
                Undo(failure, out _);
                var isBusy = SqliteErrors.IsBusy(failure.Code);
                if (!isBusy || waited.Elapsed >= _options.BusyTimeout)
                {
                    refusal = isBusy ? SqliteErrors.Busy(_path, _options.BusyTimeout) : SqliteErrors.ToPubException(_path, failure);
                    return false;
                }

                Pause(attempt);
            }
        }
    }

    private void Seal()
    {
        _transaction.Seal();
        Transactions++;
        _mustRaiseEpoch = false;
        foreach (var touched in _transaction.Touched)
        {
            _waiters.Wake(touched.Key, touched.Cas);
        }

        _sealed.AddRange(_transaction.Unanswered);
        _sealedDurable |= _transaction.HasDurable;
        _transaction.Reset();
    }

    private void AnswerSealed()
    {
        if (_sealedDurable && _options.Synchronous == SqliteSynchronous.Synced)
        {
            try
            {
                _log.Sync();
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                _broken = new StoreUnavailableException($"'{_path}' could not be synced to disk ({exception.Message}); open the store anew.", exception);
                Fail(_sealed, SqliteErrors.Unknown(_path, exception));
                _sealed.Clear();
            }
        }

        foreach (var operation in _sealed)
        {
            operation.Answer();
        }

        _sealed.Clear();
        _sealedDurable = false;
    }

    /// <summary>Undoes the open transaction. Answers the operations to try again; those that may have happened nevertheless are answered here.</summary>
    private void Undo(SqliteFailureException failure, out WriteOperation[] operations)
    {
        operations = [.. _transaction.Unanswered];
        var isUnknown = _transaction.IsEnding && !SqliteErrors.IsCertainlyUndone(failure.Code);
        var lost = _transaction.AnsweredEarly > 0;
        try
        {
            _transaction.Undo();
        }
        finally
        {
            _transaction.Reset();
            if (lost)
            {
                _mustRaiseEpoch = true;
                Volatile.Write(ref _epochsLost, _epochsLost + 1);
                _waiters.ReleaseAll();
            }
        }

        if (isUnknown)
        {
            Fail(operations, SqliteErrors.Unknown(_path, failure));
            operations = [];
        }
    }

    /// <summary>One bad operation, or a full disk, must not fail its neighbours: each has a transaction of its own now.</summary>
    private void TryEachAlone(WriteOperation[] operations, SqliteFailureException failure)
    {
        if (operations.Length == 1)
        {
            Fail(operations, SqliteErrors.ToPubException(_path, failure));
            return;
        }

        foreach (var operation in operations)
        {
            if (!TryBegin(out var refusal))
            {
                operation.Fail(refusal);
                continue;
            }

            try
            {
                _transaction.Execute(operation);
                Seal();
            }
            catch (SqliteFailureException alone)
            {
                Undo(alone, out var failed);
                Fail(failed, SqliteErrors.ToPubException(_path, alone));
            }
        }
    }

    private static void Fail(IEnumerable<WriteOperation> operations, Exception exception)
    {
        foreach (var operation in operations)
        {
            operation.Fail(exception);
        }
    }

    private void FailRest(Exception exception)
    {
        while (_at < _batch.Count)
        {
            _batch[_at++].Fail(exception);
        }
    }

    /// <summary>A defect of this program. Nobody waits for ever for an answer, and nothing is claimed that is not known.</summary>
    private void FailEverything(Exception exception)
    {
        _broken = new StoreUnavailableException($"'{_path}': the writer stopped ({exception.Message}); open the store anew.", exception);
        Fail(_transaction.Unanswered, SqliteErrors.Unknown(_path, exception));
        Fail(_sealed, SqliteErrors.Unknown(_path, exception));
        _sealed.Clear();
        FailRest(_broken);
        _batch.Clear();
        try
        {
            _transaction.Undo();
        }
        catch (SqliteFailureException)
        {
            // Closing the file undoes it.
        }

        _transaction.Reset();
    }

    private void NoticeForeignChanges()
    {
        var version = ReadDataVersion();
        if (version != _dataVersion)
        {
            (_dataVersion, _foreignNoticed) = (version, _runtime.Time.GetTimestamp());
            _foreign.Noticed();
        }
    }

    /// <summary>Where one foreign write came, the next is near: it is looked for more often.</summary>
    private int UntilNextWatch()
    {
        if (_waiters.IsEmpty)
        {
            return Timeout.Infinite;
        }

        var interval = (int)_options.WatchInterval.TotalMilliseconds;
        var isAlert = _foreignNoticed != 0 && _runtime.Time.GetElapsedTime(_foreignNoticed) < Alert;
        return isAlert ? Math.Max(1, interval / AlertFactor) : interval;
    }

    private long ReadDataVersion() => _connection.Cached(DocumentSql.DataVersion).ReadNumber() ?? 0;

    // Others hold the file for less than a millisecond, as a rule.
    private void Pause(int attempt)
    {
        if (attempt < 10)
        {
            Thread.Yield();
        }
        else
        {
            _never.Wait(1);
        }
    }
}

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
internal sealed partial class DocumentWriter : IAsyncDisposable
{
    private const int MaxOperations = 4_096;
    private const long MaxBytes = 8 << 20;
    private const int LingerMilliseconds = 1;

    private static readonly TimeSpan LongestFilling = TimeSpan.FromMilliseconds(2);

    private readonly string _path;
    private readonly SqliteStoreOptions _options;
    private readonly PubRuntime _runtime;
    private readonly DocumentConnection _connection;
    private readonly WriteQueue _queue;
    private readonly WaiterTable _waiters;
    private readonly FileWatch _watch;
    private readonly WriteTransaction _transaction;
    private readonly LogFile _log;
    private readonly SealedOperations _sealed;
    private readonly LogDrain _drain;
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ManualResetEventSlim _never = new(false);
    private List<WriteOperation> _batch = [];
    private int _at;
    private bool _mustRaiseEpoch;
    private long _begun;
    private long _epochsLost;
    private Exception? _broken;

    public DocumentWriter(
        SqliteStoreOptions options, PubRuntime runtime, DocumentConnection connection, WriteQueue queue, WaiterTable waiters,
        ForeignChanges foreign, AnsweredDocuments answered)
    {
        (_path, _options, _runtime, _connection, _queue, _waiters) = (options.Path, options, runtime, connection, queue, waiters);
        _watch = new FileWatch(connection, waiters, foreign, options.WatchInterval, runtime.Time);
        _transaction = new WriteTransaction(connection, new CasSource(), answered, runtime);
        _log = new LogFile(options.Path, options.SyncFault);
        _sealed = new SealedOperations(_path, options.Synchronous, _log);
        _drain = new LogDrain(options.Path, options.LogBytes);
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
                if (_queue.Take(ref _batch, _watch.UntilNextLook()))
                {
                    RunBatch();
                }
                else if (_queue.IsClosed)
                {
                    break;
                }
                else
                {
                    LookAtLeisure();
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

        _broken ??= _sealed.SyncAndAnswer();
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
                _watch.Look();
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

    private void LookAtLeisure()
    {
        try
        {
            _watch.Look();
        }
        catch (SqliteFailureException)
        {
            // Busy while another process recovers the log, for instance. The next look is near; lasting trouble shows in reads and writes.
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

        _sealed.Add(_transaction.Unanswered, _transaction.HasDurable);
        _transaction.Reset();
    }

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

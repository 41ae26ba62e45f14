using Microsoft.Extensions.Logging;
using Pub.Leases;
using Pub.Storage;

namespace Pub.Subscriptions;

/// <summary>Why a cursor is no longer written under its grant.</summary>
internal enum CursorEnd
{
    /// <summary>Stopped by its owner; the last write has a known outcome.</summary>
    Stopped,

    /// <summary>Another session or a higher token is in the document, or the document is gone.</summary>
    Lost,

    /// <summary>Somebody rewound or edited the cursor: cancel what is in flight, discard what was settled of it, and read it again.</summary>
    Edited,
}

/// <summary>
/// Writes one lease's cursor under one token. The owner marks it dirty; it writes at once when nothing is under way, and gathers what changes meanwhile.
/// <code>
/// one write at a time
/// after a write of unknown outcome nothing follows but a CAS write of its own (executions.md 15)
/// nothing is written once another token, session or count of rewinds was seen
/// a flush is answered: true when all before it is written, false once it cannot be, also when nobody writes any more
/// </code>
/// </summary>
internal sealed class CursorKeeper : IDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    private readonly IDocumentStore _store;
    private readonly PubRuntime _runtime;
    private readonly DocumentKey _key;
    private readonly LeaseGrant _grant;
    private readonly CursorPace _pace;
    private readonly ILogger _logger;
    private readonly CursorMemory? _memory;
    private readonly AsyncSignal _wake;
    private readonly Lock _lock = new();
    private readonly List<(long Change, TaskCompletionSource<bool> Done)> _flushes = [];
    private StoredDocument _stored;
    private long _rewinds;
    private long _changes;
    private int _isSignalled;
    private long _token;
    private long _taken;
    private bool _isRunning;
    private bool _isStopping;
    private bool _isAbandoned;

    public CursorKeeper(IDocumentStore store, PubRuntime runtime, DocumentKey key, LeaseGrant grant, CursorPace pace, ILogger logger, CursorMemory? memory = null)
    {
        _store = store;
        _runtime = runtime;
        _key = key;
        _grant = grant;
        _pace = pace;
        _logger = logger;
        _memory = memory;
        _wake = new AsyncSignal(runtime.Time);
    }

    /// <summary>Whether a write may have happened, or may happen yet, after which none of its own has succeeded. Read when nothing runs.</summary>
    public bool HasUnknown { get; private set; }

    /// <summary>
    /// The first write: raises the token, durably, before anything is delivered; from then on a former holder's writes fail. Answers the cursor, or
    /// null if a higher token is there already.
    /// </summary>
    /// <param name="begin">What the new holder makes of the cursor that was read, in the same write; asked again when the write was lost.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<CursorDocument?> TakeAsync(Func<CursorDocument, CursorDocument> begin, CancellationToken cancellationToken)
    {
        _taken = Interlocked.Read(ref _changes);
        if (_memory is not null)
        {
            return begin(_memory.Last);
        }

        for (var pause = FirstPause; ; pause = Longer(pause))
        {
            try
            {
                cancellationToken.ThrowIfCancellationRequested();
                _taken = Interlocked.Read(ref _changes);
                _stored = await _store.GetAsync(_key, cancellationToken);
                var cursor = CursorDocument.Read(_key, _stored);
                var isOurs = cursor.Token == _grant.Token && cursor.Session == _grant.Session;
                if (!isOurs && cursor.Token >= _grant.Token && !_runtime.Breaks(BrokenRules.TokenNotRaised))
                {
                    return null;
                }

                _rewinds = cursor.Rewinds;
                _token = _grant.Token;
                if (_runtime.Breaks(BrokenRules.TokenNotRaised))
                {
                    _token = cursor.Token;
                    return begin(cursor);
                }

                // Who loses this CAS reads again: a former holder's last write, an edit, or a later holder.
                var taken = begin(cursor) with { Token = _grant.Token, Session = _grant.Session, Rewinds = cursor.Rewinds };
                if (await TryWriteAsync(taken))
                {
                    return taken;
                }
            }
            catch (PubException e) when (e.IsTransient)
            {
                SubscriptionLog.CursorRetried(_logger, _key, e);
            }

            await _runtime.Delay(_runtime.Jitter(pause), cancellationToken);
        }
    }

    /// <summary>Something changed; it will be written.</summary>
    public void MarkDirty()
    {
        Interlocked.Increment(ref _changes);
        if (Interlocked.Exchange(ref _isSignalled, 1) == 0)
        {
            _wake.Set();
        }
    }

    /// <summary>Writes all that has changed up to now, without waiting for the pace. False if it can't be written any more, or nobody writes.</summary>
    public Task<bool> FlushAsync()
    {
        var done = Completion.Source<bool>();
        lock (_lock)
        {
            if (_isAbandoned || !_isRunning)
            {
                return Task.FromResult(false);
            }

            _flushes.Add((Interlocked.Read(ref _changes), done));
        }

        _wake.Set();
        return done.Task;
    }

    /// <summary>Ends <see cref="RunAsync"/> after what is under way; call <see cref="FlushAsync"/> first to write everything.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            _isStopping = true;
        }

        _wake.Set();
    }

    /// <summary>Nothing more may be written: the lease is gone.</summary>
    public void Abandon()
    {
        lock (_lock)
        {
            _isAbandoned = true;
            _isStopping = true;
        }

        FailFlushes();
        _wake.Set();
    }

    /// <summary>Writes what <paramref name="capture"/> answers whenever there was a change, until stopped, lost or edited.</summary>
    public async Task<CursorEnd> RunAsync(Func<CursorDocument> capture, Action<CursorDocument> written)
    {
        long writtenChange, lastWrite = 0;
        var isBusy = false;
        lock (_lock)
        {
            _isRunning = true;
            _isStopping = _isAbandoned;

            // What was marked since the cursor was read is written: it can be the word of an edit.
            writtenChange = _taken;
        }

        try
        {
            while (true)
            {
                var (change, urgent, stopping) = ReadState(writtenChange);
                if (stopping)
                {
                    return CursorEnd.Stopped;
                }

                var due = isBusy ? _pace.Interval - _runtime.Time.GetElapsedTime(lastWrite) : TimeSpan.Zero;
                if (change == writtenChange && due <= TimeSpan.Zero && isBusy)
                {
                    isBusy = false;
                    _pace.Leave();
                }

                if (change == writtenChange || (due > TimeSpan.Zero && !urgent))
                {
                    if (due > TimeSpan.Zero)
                    {
                        _wake.SetAfter(due);
                    }

                    await _wake.WaitAsync();
                    continue;
                }

                if (!isBusy)
                {
                    isBusy = true;
                    _pace.Enter();
                }

                lastWrite = _runtime.Time.GetTimestamp();
                var end = await WriteAsync(capture, written);
                if (end is { } ended)
                {
                    return ended;
                }

                writtenChange = change;
            }
        }
        finally
        {
            if (isBusy)
            {
                _pace.Leave();
            }

            lock (_lock)
            {
                _isRunning = false;
            }

            FailFlushes();
        }
    }

    public void Dispose() => _wake.Dispose();

    private (long Change, bool Urgent, bool Stopping) ReadState(long writtenChange)
    {
        List<TaskCompletionSource<bool>>? done = null;
        (long, bool, bool) state;

        // Changes signal only while there is none that the loop knows of: under load it would else be woken for every message in vain. Lowered before
        // the count is read again, so that no change between the two goes unseen.
        if (Interlocked.Read(ref _changes) == writtenChange)
        {
            Interlocked.Exchange(ref _isSignalled, 0);
        }

        lock (_lock)
        {
            for (var i = _flushes.Count - 1; i >= 0; i--)
            {
                if (_flushes[i].Change <= writtenChange)
                {
                    (done ??= []).Add(_flushes[i].Done);
                    _flushes.RemoveAt(i);
                }
            }

            state = (Interlocked.Read(ref _changes), _flushes.Count > 0, _isStopping);
        }

        foreach (var waiter in done ?? [])
        {
            waiter.TrySetResult(true);
        }

        return state;
    }

    /// <summary>Writes until the outcome is known. Null: written.</summary>
    private async Task<CursorEnd?> WriteAsync(Func<CursorDocument> capture, Action<CursorDocument> written)
    {
        for (var pause = FirstPause; ; pause = Longer(pause))
        {
            if (Volatile.Read(ref _isAbandoned))
            {
                return CursorEnd.Lost;
            }

            try
            {
                var cursor = capture() with { Token = _token, Session = _grant.Session, Rewinds = _rewinds };
                if (await TryWriteAsync(cursor))
                {
                    written(cursor);
                    return null;
                }

                // The CAS was lost: an own write of unknown outcome that has landed, an edit, or another holder.
                if (await LookAsync() is { } end)
                {
                    return end;
                }

                continue;
            }
            catch (PubException e) when (e.IsTransient)
            {
                SubscriptionLog.CursorRetried(_logger, _key, e);
            }

            await _runtime.Delay(_runtime.Jitter(pause), CancellationToken.None);
        }
    }

    private void FailFlushes()
    {
        List<(long Change, TaskCompletionSource<bool> Done)> flushes;
        lock (_lock)
        {
            flushes = [.. _flushes];
            _flushes.Clear();
        }

        foreach (var (_, done) in flushes)
        {
            done.TrySetResult(false);
        }
    }

    private async Task<bool> TryWriteAsync(CursorDocument cursor)
    {
        if (_memory is not null)
        {
            _memory.Last = cursor;
            return true;
        }

        var content = cursor.Write();
        try
        {
            var result = _stored.Exists
                ? await _store.ReplaceAsync(_key, content, _stored.Cas, WriteOptions.Synced)
                : await _store.InsertAsync(_key, content, WriteOptions.Synced);
            if (!result.IsApplied)
            {
                return false;
            }

            HasUnknown = false;
            _stored = new StoredDocument(content, result.Cas);
            return true;
        }
        catch (OutcomeUnknownException)
        {
            HasUnknown = true;
            throw;
        }
    }

    private async Task<CursorEnd?> LookAsync()
    {
        var there = await _store.GetAsync(_key);
        var cursor = CursorDocument.Read(_key, there);
        if (_runtime.Breaks(BrokenRules.NoToken))
        {
            _stored = there;
            return null;
        }

        var isOurs = cursor.Token == _token && (cursor.Session == _grant.Session || _runtime.Breaks(BrokenRules.TokenNotRaised));
        if (!there.Exists || !isOurs)
        {
            return CursorEnd.Lost;
        }

        if (cursor.Rewinds != _rewinds)
        {
            return CursorEnd.Edited;
        }

        _stored = there;
        return null;
    }

    private static TimeSpan Longer(TimeSpan pause) => pause * 2 > LongestPause ? LongestPause : pause * 2;
}

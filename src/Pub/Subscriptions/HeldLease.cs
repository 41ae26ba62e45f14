using Pub.Leases;
using Pub.Storage;
using Pub.Topics;

namespace Pub.Subscriptions;

/// <summary>
/// One lease from its grant until it is given up or lost: raises the token, then reads, over again after each edit of the cursor.
/// <code>
/// nothing is delivered before the token is raised
/// after Lose nothing is written, and nothing delivered
/// after TryGiveUp has answered true no handler has a message of it, the last cursor write has a known outcome, and nothing is read or written
/// reading ⇒ the reader is set, and its cursor is being written
/// </code>
/// </summary>
internal sealed class HeldLease
{
    private static readonly TimeSpan BrokenPause = TimeSpan.FromSeconds(30);

    private readonly ReaderContext _context;
    private readonly LeaseGrant _grant;
    private readonly int _leaseCount;
    private readonly Action<LeaseReader> _attach;
    private readonly Action<LeaseGrant, string> _lost;
    private readonly CursorKeeper _cursor;
    private readonly Func<int, DocumentKey> _cursorOf;
    private readonly CancellationTokenSource _ending = new();
    private readonly Lock _lock = new();
    private LeaseReader? _reader;
    private Task _run = Task.CompletedTask;
    private bool _isEnding;
    private bool _isReading;
    private CursorEnd? _end;

    public HeldLease(
        ReaderContext context, LeaseGrant grant, int leaseCount, CursorKeeper cursor, Func<int, DocumentKey> cursorOf, Action<LeaseReader> attach, Action<LeaseGrant, string> lost)
    {
        _context = context;
        _grant = grant;
        _leaseCount = leaseCount;
        _cursor = cursor;
        _cursorOf = cursorOf;
        _attach = attach;
        _lost = lost;
    }

    public LeaseReader? Reader => Volatile.Read(ref _reader);

    public bool IsIdle => Reader?.IsIdle ?? true;

    /// <summary>What keeps the lease from being worked on; null while all is well.</summary>
    public Exception? Fault { get; private set; }

    public void Start() => _run = _context.Runtime.Start(RunAsync);

    /// <summary>The cursor may have been edited: it is written, and if it was, that fails, and it is read again.</summary>
    public void LookAtCursor() => _cursor.MarkDirty();

    /// <summary>The lease is gone: cancels handlers and returns at once.</summary>
    public void Lose()
    {
        _cursor.Abandon();
        BeginEnding().Reader?.End();
    }

    /// <summary>
    /// Lets handlers finish within the patience, and writes the cursor. False: a handler runs longer, and reading goes on; or the cursor could not
    /// be written; or with <paramref name="evenIfBusy"/>, a handler runs longer: it is cancelled, and what is settled is written, but the lease is not to be
    /// released while it may still run.
    /// </summary>
    public async Task<bool> TryGiveUpAsync(TimeSpan patience, bool evenIfBusy)
    {
        var drained = true;
        if (Reader is { } busy && !(drained = await busy.DrainAsync(patience)) && !evenIfBusy)
        {
            busy.Resume();
            return false;
        }

        // What handlers that did not end in time settle from here on is not counted.
        var (reader, isReading) = BeginEnding();
        reader?.End();
        var isKnown = !isReading || await FlushAsync(patience);
        _cursor.Stop();
        await _run;

        // An edit in that moment discards what was to be written: there is nothing to wait for.
        isKnown |= _end == CursorEnd.Edited;
        isKnown &= !_cursor.HasUnknown || _context.Runtime.Breaks(BrokenRules.ReleaseAfterUnknown);

        // A rewind may have put another reader in the place of the one that was drained.
        drained &= reader is null || reader.IsIdle;
        if (!(drained && isKnown) && !evenIfBusy)
        {
            _lost(_grant, "its last cursor write has no known outcome, or a handler still runs");
        }

        return drained && isKnown;
    }

    private async Task<bool> FlushAsync(TimeSpan patience)
    {
        var bound = patience > TimeSpan.FromSeconds(5) ? patience : TimeSpan.FromSeconds(5);
        try
        {
            return await _cursor.FlushAsync().WaitAsync(bound, _context.Runtime.Time);
        }
        catch (TimeoutException)
        {
            _cursor.Abandon();
            return _context.Runtime.Breaks(BrokenRules.ReleaseAfterUnknown);
        }
    }

    private (LeaseReader? Reader, bool IsReading) BeginEnding()
    {
        (LeaseReader?, bool) state;
        lock (_lock)
        {
            _isEnding = true;
            state = (_reader, _isReading);
        }

        _ending.Cancel();
        return state;
    }

    private async Task RunAsync()
    {
        while (!_isEnding)
        {
            try
            {
                var cursor = await _cursor.TakeAsync(Begin, _ending.Token);
                if (cursor is null)
                {
                    _lost(_grant, "its cursor has a higher token");
                    break;
                }

                SubscriptionLog.LeaseTaken(_context.Logger, _context.Subscription, _grant.Lease, _grant.Token);
                Fault = null;
                _end = null;
                var end = await ReadFromAsync(cursor);
                _end = end;
                if (end == CursorEnd.Lost && !_isEnding)
                {
                    _lost(_grant, "its cursor was taken over");
                    break;
                }

                if (end == CursorEnd.Edited)
                {
                    SubscriptionLog.CursorEdited(_context.Logger, _context.Subscription, _grant.Lease);
                }
            }
            catch (OperationCanceledException) when (_isEnding)
            {
                break;
            }
            catch (Exception e)
            {
                // A broken invariant or a format this program cannot read: this lease stands still and health is red; the host goes on.
                Fault = e;
                SubscriptionLog.LeaseBroken(_context.Logger, _context.Subscription, _grant.Lease, BrokenPause, e);
                await PauseAsync();
            }
        }

        Reader?.Discard();
        _cursor.Dispose();
    }

    /// <summary>
    /// Makes the reader of a cursor before the token is written, so that the same write says how far it may deliver. It delivers nothing before
    /// <see cref="ReadFromAsync"/>.
    /// </summary>
    private CursorDocument Begin(CursorDocument cursor)
    {
        var reader = new LeaseReader(_context, _grant, _leaseCount, _cursor, cursor, _cursorOf);
        ReplaceReader(reader)?.Discard();
        _attach(reader);
        return reader.Capture();
    }

    /// <summary>Reads from one state of the cursor until the reader or the cursor ends; the end of one ends the other.</summary>
    private async Task<CursorEnd> ReadFromAsync(CursorDocument cursor)
    {
        var reader = Reader!;
        reader.Written(cursor);
        var writing = _cursor.RunAsync(reader.Capture, reader.Written);
        if (!TryBeginReading())
        {
            _cursor.Stop();
            return await writing;
        }

        var reading = reader.RunAsync();
        try
        {
            await Task.WhenAny(reading, writing);
            if (reading.IsFaulted)
            {
                // Broken: what was settled until now is kept.
                reader.End();
                await _cursor.FlushAsync();
                _cursor.Stop();
            }

            return await writing;
        }
        finally
        {
            reader.End();
            await EndReadingAsync(reader, reading);
        }
    }

    private bool TryBeginReading()
    {
        lock (_lock)
        {
            return _isReading = !_isEnding;
        }
    }

    private async Task EndReadingAsync(LeaseReader reader, Task reading)
    {
        try
        {
            await reading;
        }
        finally
        {
            lock (_lock)
            {
                _isReading = false;
            }

            ReplaceReader(null);
            reader.Dispose();
        }
    }

    private LeaseReader? ReplaceReader(LeaseReader? reader)
    {
        lock (_lock)
        {
            var former = _reader;
            _reader = reader;
            return former;
        }
    }

    private async Task PauseAsync()
    {
        try
        {
            await _context.Runtime.Delay(BrokenPause, _ending.Token);
        }
        catch (OperationCanceledException)
        {
            // ending
        }
    }
}

using Pub.Leases;
using Pub.Storage;
using Pub.Topics;

namespace Pub.Subscriptions;

/// <summary>
/// One lease from its grant until it is given up or lost: raises the token, then reads, over again after each edit of the cursor.
/// <code>
/// nothing is delivered before the token is raised
/// after Lose nothing is written, and nothing delivered
/// after TryGiveUp has answered true the last cursor write has a known outcome, and nothing is read or written
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
    private readonly CancellationTokenSource _ending = new();
    private readonly Lock _lock = new();
    private LeaseReader? _reader;
    private Task _run = Task.CompletedTask;
    private bool _isEnding;

    public HeldLease(
        ReaderContext context, LeaseGrant grant, int leaseCount, CursorKeeper cursor, Action<LeaseReader> attach, Action<LeaseGrant, string> lost)
    {
        _context = context;
        _grant = grant;
        _leaseCount = leaseCount;
        _cursor = cursor;
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
        BeginEnding()?.End();
    }

    /// <summary>
    /// Lets handlers finish within the patience, and writes the cursor. False: a handler runs longer, and reading goes on; or with
    /// <paramref name="evenIfBusy"/>, the cursor could not be written.
    /// </summary>
    public async Task<bool> TryGiveUpAsync(TimeSpan patience, bool evenIfBusy)
    {
        var reader = Reader;
        if (reader is not null)
        {
            var drained = await reader.DrainAsync(patience);
            if (!drained && !evenIfBusy)
            {
                reader.Resume();
                return false;
            }
        }

        // What handlers that did not end in time settle from here on is not counted.
        reader = BeginEnding();
        reader?.End();
        var isKnown = reader is null || await FlushAsync(patience);
        _cursor.Stop();
        await _run;
        if (!isKnown)
        {
            _lost(_grant, "its last cursor write has no known outcome");
        }

        return isKnown;
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

    private LeaseReader? BeginEnding()
    {
        LeaseReader? reader;
        lock (_lock)
        {
            _isEnding = true;
            reader = _reader;
        }

        _ending.Cancel();
        return reader;
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
                var end = await ReadFromAsync(cursor);
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
        var reader = new LeaseReader(_context, _grant, _leaseCount, _cursor, cursor);
        LeaseReader? former;
        lock (_lock)
        {
            former = _reader;
            _reader = reader;
        }

        former?.Discard();
        _attach(reader);
        return reader.Capture();
    }

    /// <summary>Reads from one state of the cursor until the reader or the cursor ends; the end of one ends the other.</summary>
    private async Task<CursorEnd> ReadFromAsync(CursorDocument cursor)
    {
        using var reader = Reader!;
        reader.Written(cursor);
        lock (_lock)
        {
            // Who gives the lease up from here on waits for the writer; who did before has nothing to wait for.
            if (_isEnding)
            {
                return CursorEnd.Stopped;
            }

            _cursor.Open();
        }

        var writing = _cursor.RunAsync(reader.Capture, reader.Written);
        var reading = reader.RunAsync();
        await Task.WhenAny(reading, writing);
        try
        {
            if (reading.IsCompleted && !writing.IsCompleted && !_isEnding)
            {
                _cursor.Stop();
            }

            var end = await writing;
            reader.End();
            await reading;
            return end;
        }
        finally
        {
            reader.End();
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

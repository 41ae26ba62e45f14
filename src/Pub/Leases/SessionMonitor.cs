using Microsoft.Extensions.Logging;
using Pub.Storage;
using Pub.Topics;

namespace Pub.Leases;

/// <summary>
/// Watches the beats of all sessions, and finds out and marks the dead.
/// </summary>
/// <remarks>
/// <code>
/// known dead ⇒ "dead" was written into the session's document, under the CAS that was watched
/// known dead is for ever, until nobody names the session any more
/// </code>
/// <para><c>_watched</c> belongs to the loop; <c>_dead</c>, <c>_named</c> and <c>_wake</c> are guarded by <c>_lock</c>.</para>
/// </remarks>
internal sealed class SessionMonitor(
    IDocumentStore store, PubRuntime runtime, LeaseTimings timings, ILogger logger, Func<SubscriptionName, string, Task>? removeTemporary)
{
    /// <summary>A mark without a session behind it names no temporary subscription, and may be listed nowhere: the store cleans it up.</summary>
    private static readonly TimeSpan InsertedMarkLives = TimeSpan.FromDays(1);

    private readonly DeadSessions _remains = new(store, runtime, timings, logger, removeTemporary);
    private readonly SortedDictionary<string, BeatWatch> _watched = new(StringComparer.Ordinal);
    private readonly long _origin = runtime.Time.GetTimestamp();
    private readonly Lock _lock = new();
    private readonly SortedSet<string> _dead = new(StringComparer.Ordinal);
    private readonly Dictionary<object, IReadOnlyList<string>> _named = [];
    private TaskCompletionSource _wake = Completion.Source();
    private TimeSpan _nextDirectory;
    private IReadOnlyList<string> _listed = [];

    /// <summary>Raised when sessions were newly found dead. Handlers return at once.</summary>
    public event Action? Changed;

    private TimeSpan Now => runtime.Time.GetElapsedTime(_origin);

    /// <summary>Whether the session is known to be dead: "dead" is written in its document.</summary>
    public bool IsDead(string session)
    {
        lock (_lock)
        {
            return _dead.Contains(session);
        }
    }

    /// <summary>
    /// The sessions that an assignment names: they are watched too, listed or not, and kept in mind while they are named. Empty: no more.
    /// </summary>
    public void SetNamed(object assignment, IReadOnlyList<string> sessions)
    {
        lock (_lock)
        {
            if (sessions.Count == 0)
            {
                _named.Remove(assignment);
                return;
            }

            if (_named.TryGetValue(assignment, out var before) && before.SequenceEqual(sessions))
            {
                return;
            }

            _named[assignment] = sessions;
            _wake.TrySetResult();
        }
    }

    /// <summary>Watches until cancelled. One broad catch: whatever happens, the watch goes on.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            Task wake;
            lock (_lock)
            {
                _wake = _wake.Task.IsCompleted ? Completion.Source() : _wake;
                wake = _wake.Task;
            }

            var pause = timings.BeatInterval;
            try
            {
                await LookAsync(cancellationToken);
                pause = NextLook() - Now;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // the one broad catch of this loop
            catch (Exception e)
#pragma warning restore CA1031
            {
                logger.MonitorFailed(e);
                pause = runtime.Jitter(timings.BeatInterval / 5);
                wake = runtime.Delay(pause, cancellationToken);
            }

            await PauseAsync(wake, pause, cancellationToken);
        }
    }

    private async Task PauseAsync(Task wake, TimeSpan pause, CancellationToken cancellationToken)
    {
        // Never none: timers count whole milliseconds, and a loop that awaits nothing would never let time pass.
        var shortest = timings.BeatInterval / 1000;
        await wake.WaitAsync(pause > shortest ? pause : shortest, runtime.Time, cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    /// <summary>One round: the directory once per beat, and the sessions whose time has come.</summary>
    private async Task LookAsync(CancellationToken cancellationToken)
    {
        if (Now >= _nextDirectory)
        {
            var stored = await store.GetAsync(DocumentKeys.Sessions, cancellationToken);
            _listed = LeaseFormats.Directory.Read(DocumentKeys.Sessions, stored)?.Sessions ?? [];
            _nextDirectory = Now + timings.BeatInterval;
            await _remains.CleanAsync(_listed, AllNamed(), Now);
        }

        var known = AllNamed();
        known.UnionWith(_listed);
        Forget(known);
        var soon = Now + (timings.BeatInterval / 100);
        var due = known.Where(s => !IsDead(s) && (!_watched.TryGetValue(s, out var w) || w.NextLook <= soon)).ToArray();
        if (due.Length == 0)
        {
            return;
        }

        var began = Now;
        var found = await store.GetManyAsync([.. due.Select(DocumentKeys.Session)], cancellationToken);
        var ended = Now;
        var deaths = false;
        for (var i = 0; i < due.Length; i++)
        {
            deaths |= await JudgeAsync(due[i], found[i], began, ended);
        }

        if (deaths)
        {
            Changed?.Invoke();
        }
    }

    /// <summary>Whether the session is dead. One broad catch a session: a document that cannot be read must not hide the others.</summary>
    private async Task<bool> JudgeAsync(string session, StoredDocument stored, TimeSpan began, TimeSpan ended)
    {
        try
        {
            var document = LeaseFormats.Session.Read(DocumentKeys.Session(session), stored);
            var watch = _watched.TryGetValue(session, out var before)
                ? before.Look(document?.Beat, began, ended, timings)
                : BeatWatch.First(document?.Beat, began, ended, timings);
            _watched[session] = watch;
            if (document?.State != SessionState.Dead && !(IsOverdue(watch, document, began) && await MarkAsync(session, document, stored.Cas)))
            {
                return false;
            }
        }
#pragma warning disable CA1031
        catch (Exception e)
#pragma warning restore CA1031
        {
            logger.MonitorFailed(e);
            var unread = _watched.TryGetValue(session, out var before) ? before : BeatWatch.First(-1, began, ended, timings);
            _watched[session] = unread with { NextLook = ended + (timings.BeatInterval / 5) };
            return false;
        }

        _watched.Remove(session);
        _remains.Add(session, ended);
        lock (_lock)
        {
            return _dead.Add(session);
        }
    }

    private bool IsOverdue(BeatWatch watch, SessionDocument? document, TimeSpan began) =>
        runtime.Breaks(BrokenRules.OneLookAtSession)
            ? document is null || runtime.UnixMilliseconds - document.At > timings.SessionTimeout.TotalMilliseconds
            : watch.IsOverdue(began, timings);

    /// <summary>
    /// The loser lets the session live: its owner has written in the meantime, or somebody else has marked it, which the next look shows.
    /// An unknown outcome counts as lost; should the mark land yet, the next look shows that too.
    /// </summary>
    private async Task<bool> MarkAsync(string session, SessionDocument? document, Cas cas)
    {
        if (runtime.Breaks(BrokenRules.NoDeadMark))
        {
            return true;
        }

        var key = DocumentKeys.Session(session);
        var dead = (document ?? new SessionDocument { Id = session, Name = "unknown" }) with { State = SessionState.Dead };
        var content = LeaseFormats.Session.Write(dead);
        var result = document is null
            ? await store.InsertAsync(key, content, new WriteOptions(Durable: true, InsertedMarkLives))
            : await store.ReplaceAsync(key, content, cas, WriteOptions.Synced);
        if (result.IsApplied)
        {
            logger.SessionFoundDead(session, dead.Name, timings.SessionTimeout);
        }

        return result.IsApplied;
    }

    private SortedSet<string> AllNamed()
    {
        lock (_lock)
        {
            return new(_named.Values.SelectMany(n => n), StringComparer.Ordinal);
        }
    }

    /// <summary>Those whom nobody lists or names any more.</summary>
    private void Forget(SortedSet<string> known)
    {
        foreach (var gone in _watched.Keys.Where(s => !known.Contains(s)).ToArray())
        {
            _watched.Remove(gone);
        }

        lock (_lock)
        {
            _dead.RemoveWhere(s => !known.Contains(s));
            _remains.Keep(_dead);
        }
    }

    private TimeSpan NextLook()
    {
        var next = _nextDirectory;
        foreach (var watch in _watched.Values)
        {
            next = watch.NextLook < next ? watch.NextLook : next;
        }

        return next;
    }
}

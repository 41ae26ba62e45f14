using Microsoft.Extensions.Logging;
using Pub.Storage;
using Pub.Topics;

namespace Pub.Leases;

/// <summary>
/// A running instance's sign of life: one per process and named store, never resumed once lost.
/// </summary>
/// <remarks>
/// <code>
/// good   ⇔ not lost and the last beat known to be written was begun less than OwnerTimeout ago, by either clock
/// lost   for ever: "dead", no document, another version than this session's own last one, or no good beat in time
/// </code>
/// <para><c>_last</c>, <c>_cas</c> and <c>_doubtful</c> belong to whoever is inside <c>_writing</c>; <c>_good</c> is guarded by <c>_lock</c>.
/// Never ask <see cref="IsGood"/> inside a lock: it may cancel <see cref="Lost"/>, which runs the waiters' code.</para>
/// </remarks>
internal sealed class Session : IAsyncDisposable
{
    private readonly IDocumentStore _store;
    private readonly PubRuntime _runtime;
    private readonly LeaseTimings _timings;
    private readonly ILogger _logger;
    private readonly DocumentKey _key;
    private readonly CancellationTokenSource _lost = new();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly Lock _lock = new();
    private BeatAge _good;
    private int _isLost;
    private SessionDocument _last;
    private Cas _cas;
    private SessionDocument? _doubtful;

    private Session(IDocumentStore store, PubRuntime runtime, LeaseTimings timings, ILogger logger, SessionDocument first, Cas cas, BeatAge begun)
    {
        _store = store;
        _runtime = runtime;
        _timings = timings;
        _logger = logger;
        _last = first;
        _cas = cas;
        _good = begun;
        _key = DocumentKeys.Session(first.Id);
        Lost = _lost.Token;
    }

    public string Id => _last.Id;

    /// <summary>Cancelled when the session is no longer good: nothing may be delivered or written in its name from then on.</summary>
    public CancellationToken Lost { get; }

    /// <summary>Whether the last good beat is young enough by both clocks. Looks at the clocks itself, and cancels <see cref="Lost"/> if it is not.</summary>
    public bool IsGood
    {
        get
        {
            if (Volatile.Read(ref _isLost) != 0)
            {
                return false;
            }

            if (Age < _timings.OwnerTimeout)
            {
                return true;
            }

            Lose($"it has had no good beat for {_timings.OwnerTimeout}");
            return false;
        }
    }

    private TimeSpan Age
    {
        get
        {
            lock (_lock)
            {
                return _good.Elapsed;
            }
        }
    }

    /// <summary>
    /// Lists a new session, then makes its document. If this fails, what it left is found dead and cleaned up by others; start again, under a new id.
    /// </summary>
    public static async Task<Session> StartAsync(
        IDocumentStore store, PubRuntime runtime, LeaseTimings timings, string name, ILogger logger, CancellationToken cancellationToken = default)
    {
        var first = new SessionDocument { Id = runtime.NewId(), Name = name, At = runtime.UnixMilliseconds };
        await SessionList.AddAsync(store, runtime, first.Id, cancellationToken);
        var begun = new BeatAge(runtime);

        // The loser was slower than somebody who took its listed, missing document for a dead session's.
        var inserted = await store.InsertAsync(DocumentKeys.Session(first.Id), LeaseFormats.Session.Write(first), WriteOptions.Synced);
        if (!inserted.IsApplied)
        {
            throw new StoreUnavailableException($"Session {first.Id} was taken for dead before it had started.");
        }

        var session = new Session(store, runtime, timings, logger, first, inserted.Cas, begun);
        logger.SessionStarted(first.Id);
        _ = runtime.Start(session.BeatAsync);
        _ = runtime.Start(session.WatchAsync);
        return session;
    }

    /// <summary>Names a temporary subscription in the document, so that it is removed when the session is dead. Durable when it returns.</summary>
    public Task AddTemporaryAsync(SubscriptionName subscription)
    {
        var name = subscription.ToString();
        return WriteAsync(d => d with { Temporaries = [.. d.Temporaries.Where(t => t != name), name] }, WriteOptions.Synced);
    }

    public Task RemoveTemporaryAsync(SubscriptionName subscription)
    {
        var name = subscription.ToString();
        return WriteAsync(d => d with { Temporaries = [.. d.Temporaries.Where(t => t != name)] }, WriteOptions.Synced);
    }

    /// <summary>A beat out of turn, for who has reason to think that others take the session for dead.</summary>
    /// <exception cref="LeaseLostException">They do.</exception>
    public Task ProveAsync() => WriteAsync(NextBeat, options: default, isBeat: true);

    /// <summary>
    /// Cancels <see cref="Lost"/>, removes the document and its line in the directory. Stop the lease keepers first. A session that still
    /// names temporary subscriptions is left to be found dead, so that they are removed.
    /// </summary>
    public async Task StopAsync()
    {
        var wasGood = IsGood;
        Lose(null);
        if (!wasGood || _last.Temporaries.Count > 0)
        {
            return;
        }

        try
        {
            await _store.RemoveAsync(_key, default, WriteOptions.Synced);
            await SessionList.RemoveAsync(_store, _runtime, Id);
        }
        catch (PubException e)
        {
            _logger.SessionNotRemoved(e, Id);
        }
    }

    /// <summary>The same as <see cref="StopAsync"/>. <see cref="Lost"/> stays valid.</summary>
    public ValueTask DisposeAsync() => new(StopAsync());

    /// <summary>The beats: each a whole interval after the previous one was begun, so that others can tell when to look.</summary>
    private async Task BeatAsync()
    {
        var begun = _runtime.Time.GetTimestamp();
        while (IsGood)
        {
            await PauseAsync(_timings.BeatInterval - _runtime.Time.GetElapsedTime(begun));
            var attempt = _runtime.Time.GetTimestamp();
            try
            {
                await WriteAsync(NextBeat, options: default, isBeat: true);
                begun = attempt;
            }
            catch (LeaseLostException)
            {
                return;
            }
#pragma warning disable CA1031 // the one broad catch of this loop: a session does not end because the store throws
            catch (Exception e)
#pragma warning restore CA1031
            {
                _logger.BeatFailed(e, Id);
                await PauseAsync(_runtime.Jitter(_timings.BeatInterval / 20));
            }
        }
    }

    /// <summary>Looks at the clocks whatever the store does; a beat may hang in it.</summary>
    private async Task WatchAsync()
    {
        while (IsGood)
        {
            await PauseAsync(_timings.BeatInterval / 10);
        }
    }

    private SessionDocument NextBeat(SessionDocument last) => last with { Beat = last.Beat + 1, At = _runtime.UnixMilliseconds };

    private async Task WriteAsync(Func<SessionDocument, SessionDocument> change, WriteOptions options, bool isBeat = false)
    {
        await _writing.WaitAsync();
        try
        {
            if (!IsGood || !await SettleDoubtAsync())
            {
                throw new LeaseLostException($"Session {Id} is lost.");
            }

            var next = change(_last);
            var begun = new BeatAge(_runtime);
            var result = await ReplaceAsync(next, options);

            // The loser is dead: nobody but who takes this session for dead writes its document.
            if (!result.IsApplied)
            {
                Lose(result.Status == WriteStatus.Missing ? "its document is gone" : "another instance has written its document");
                throw new LeaseLostException($"Session {Id} is lost.");
            }

            (_last, _cas, _doubtful) = (next, result.Cas, null);
            if (isBeat)
            {
                lock (_lock)
                {
                    _good = begun;
                }
            }
        }
        finally
        {
            _writing.Release();
        }
    }

    private async ValueTask<WriteResult> ReplaceAsync(SessionDocument next, WriteOptions options)
    {
        try
        {
            return await _store.ReplaceAsync(_key, LeaseFormats.Session.Write(next), _cas, options);
        }
        catch (OutcomeUnknownException)
        {
            _doubtful = next;
            throw;
        }
    }

    /// <summary>After a write of unknown outcome: which version is the last one of one's own? False: somebody else's is.</summary>
    private async Task<bool> SettleDoubtAsync()
    {
        if (_doubtful is null)
        {
            return true;
        }

        var stored = await _store.GetAsync(_key, Lost);
        if (stored.Cas == _cas)
        {
            return true;
        }

        var found = LeaseFormats.Session.Read(_key, stored);
        if (found is { State: SessionState.Alive } && found.Beat == _doubtful.Beat && found.Temporaries.SequenceEqual(_doubtful.Temporaries))
        {
            (_last, _cas) = (_doubtful, stored.Cas);
            return true;
        }

        Lose(found is null ? "its document is gone" : "another instance has written its document");
        return false;
    }

    /// <param name="reason">Null: it is stopped.</param>
    private void Lose(string? reason)
    {
        if (Interlocked.Exchange(ref _isLost, 1) != 0)
        {
            return;
        }

        try
        {
            // Before anything else: nothing more is delivered in this session's name.
            _lost.Cancel();
        }
        catch (AggregateException e)
        {
            _logger.LostCallbackFailed(e, Id);
        }

        if (reason is not null)
        {
            _logger.SessionLost(Id, reason);
        }
    }

    private async Task PauseAsync(TimeSpan pause)
    {
        if (pause > TimeSpan.Zero)
        {
            await _runtime.Delay(pause, Lost).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }
}

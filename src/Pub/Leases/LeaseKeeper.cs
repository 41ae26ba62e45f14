using Microsoft.Extensions.Logging;
using Pub.Storage;

namespace Pub.Leases;

/// <summary>
/// Keeps this instance's fair share of one subscription's leases. One per subscription, process and named store: two of one session would take each
/// other's leases for forgotten ones.
/// </summary>
/// <remarks>
/// <para>One loop reads the assignment, asks <see cref="LeasePlan"/>, writes by CAS and acts. What it holds is in <see cref="LocalLeases"/>; only the loop
/// takes, and gives up; leases are lost from anywhere.</para>
/// <code>
/// held here ⇒ a CAS write of this keeper, with known outcome, put this token in the session's name
/// released  ⇒ the holder has answered that its last cursor write has a known outcome
/// </code>
/// </remarks>
internal sealed class LeaseKeeper : IAsyncDisposable
{
    /// <summary>How long a stop goes on trying to release after the handlers' time is up.</summary>
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(5);

    private readonly SessionKeeper _sessions;
    private readonly LeaseScope _scope;
    private readonly ILogger _logger;
    private readonly LeaseHands _hands;
    private readonly AssignmentWriter _assignment;
    private readonly LoopWake _wake = new();
    private readonly CancellationTokenSource _leaving = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly TaskCompletionSource _joined = Completion.Source();
    private readonly TaskCompletionSource _gone = Completion.Source();
    private readonly Lock _lock = new();
    private Task? _running;

    public LeaseKeeper(SessionKeeper sessions, LeaseScope scope, ILeaseHolder holder, ILogger logger)
    {
        _sessions = sessions;
        _scope = scope;
        _logger = logger;
        _hands = new LeaseHands(sessions, scope, holder, logger, _wake);
        _assignment = new AssignmentWriter(sessions, scope, _hands, logger);
    }

    /// <summary>Ends when the subscription's assignment was removed: the subscription is deleted. The leases are lost by then.</summary>
    public Task Gone => _gone.Task;

    /// <summary>
    /// Joins the subscription's members. Returns when the first write has succeeded; what was free is taken by then. While the store is away it waits;
    /// cancelling ends the waiting, not the keeper.
    /// </summary>
    /// <exception cref="DocumentFormatException">The assignment cannot be read: damaged, or of a newer program.</exception>
    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_leaving.IsCancellationRequested, this);
            _running ??= _sessions.Runtime.Start(RunAsync);
        }

        return _joined.Task.WaitAsync(cancellationToken);
    }

    /// <summary>
    /// Called by the holder when its cursor shows another holder or a higher token. The lease is lost (<see cref="ILeaseHolder.Lose"/> is called), then
    /// the assignment is read; if it still names this session, the lease is claimed anew under a higher token.
    /// </summary>
    public void RequestLose(LeaseGrant grant, string reason)
    {
        _hands.Lose(grant.Lease, grant.Token, reason);
        _wake.Wake(readAgain: true);
    }

    /// <summary>
    /// Gives up all leases, leaves the members, and releases what ends within <paramref name="patience"/> with a known outcome, each at once. The rest is lost
    /// (<see cref="ILeaseHolder.Lose"/>) and stays in the session's name until somebody claims it.
    /// </summary>
    public async Task StopAsync(TimeSpan patience)
    {
        Task? running;
        lock (_lock)
        {
            running = _running;
        }

        _hands.Leave(patience);
        _leaving.Cancel();
        _wake.Wake(readAgain: false);
        if (running is null)
        {
            return;
        }

        await running.WaitAsync(patience + StopGrace, _sessions.Runtime.Time)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        _ended.Cancel();
        _hands.LoseAll("the keeper is stopped");
        _wake.Wake(readAgain: false);
        await running;
    }

    public ValueTask DisposeAsync() => new(StopAsync(_sessions.Timings.GiveUpPatience));

    private async Task RunAsync()
    {
        void OnDeaths() => _wake.Wake(readAgain: false);
        _sessions.Monitor.Changed += OnDeaths;
        try
        {
            var goesOn = true;
            while (goesOn)
            {
                goesOn = await KeepAsync();
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // Stopped while there was no session: nothing is held.
        }
        finally
        {
            _sessions.Monitor.Changed -= OnDeaths;
            _sessions.Monitor.SetNamed(this, []);
            _joined.TrySetException(new ObjectDisposedException(nameof(LeaseKeeper)));
            _ = _joined.Task.Exception;
        }
    }

    private async Task<bool> KeepAsync()
    {
        try
        {
            var session = await _sessions.GetAsync(_leaving.Token);

            // Before the loop hears of it: nothing more is delivered in a lost session's name.
            using var lost = session.Lost.UnsafeRegister(_ => OnLost(), null);
            return await KeepAsync(session);
        }
        catch (DocumentFormatException e)
        {
            await BackOffAsync(e, session: null);
            return true;
        }
    }

    private void OnLost()
    {
        _hands.LoseAll("its session is lost");
        _wake.Wake(readAgain: true);
    }

    private void OnGone()
    {
        _hands.LoseAll("the subscription is deleted");
        if (_assignment.IsSeen)
        {
            _gone.TrySetResult();
        }
    }

    /// <summary>As long as the session is good. False: the keeper has ended.</summary>
    private async Task<bool> KeepAsync(Session session)
    {
        StoredDocument? known = null;
        while (session.IsGood && !_ended.IsCancellationRequested)
        {
            try
            {
                var round = await _assignment.PlanAsync(session, known, _ended.Token);
                if (round.Assignment is null)
                {
                    OnGone();
                    return false;
                }

                _sessions.Monitor.SetNamed(this, round.Assignment.NamedSessions());
                var moved = _hands.Act(round, session);
                if (round.Assignment.Members.Contains(session.Id))
                {
                    _joined.TrySetResult();
                }
                else if (_leaving.IsCancellationRequested && _hands.IsEmpty)
                {
                    return false;
                }

                if (round.IsStruckOut)
                {
                    // To join again before knowing would only be undone, again and again.
                    await session.ProveAsync();
                    moved = true;
                }

                known = moved ? round.Stored : await WaitAsync(round);
            }
            catch (OperationCanceledException) when (_ended.IsCancellationRequested)
            {
                return false;
            }
#pragma warning disable CA1031 // the one broad catch of this loop
            catch (Exception e)
#pragma warning restore CA1031
            {
                known = null;
                await BackOffAsync(e, session);
            }
        }

        return !_ended.IsCancellationRequested;
    }

    /// <summary>The assignment to go on with; null: to be read.</summary>
    private Task<StoredDocument?> WaitAsync(LeaseRound round)
    {
        var timings = _sessions.Timings;
        var timeout = round.Plan.Owed > 0 ? timings.BeatInterval / 10 : timings.BeatInterval;
        if (round.NextRipe is { } ripe && ripe < timeout)
        {
            timeout = ripe;
        }

        return _wake.WaitAsync(_sessions.Store, _assignment.Key, round.Stored, timeout);
    }

    private async Task BackOffAsync(Exception exception, Session? session)
    {
        if (exception is DocumentFormatException)
        {
            // Waiting does not mend it: whoever starts is told.
            _joined.TrySetException(exception);
            _ = _joined.Task.Exception;
        }

        if (session is not null && exception is OutcomeUnknownException && _sessions.Runtime.Breaks(BrokenRules.GoOnAfterRelease))
        {
            _hands.GoOn(session);
        }

        var pause = _sessions.Runtime.Jitter(_sessions.Timings.BeatInterval / 20);
        _logger.KeepingFailed(exception, _scope.Subscription, pause);
        await _sessions.Runtime.Delay(pause, _ended.Token)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }
}

using Microsoft.Extensions.Logging;

namespace Pub.Leases;

/// <summary>
/// Carries out what a keeper's loop has decided: tells the holder to take, to give up and that it has lost, and remembers how far each lease has come.
/// </summary>
/// <remarks><c>_leavesBy</c> is guarded by <c>_lock</c>; it is set once. The holder is called outside of locks.</remarks>
internal sealed class LeaseHands(SessionKeeper sessions, LeaseScope scope, ILeaseHolder holder, ILogger logger, LoopWake wake)
{
    private readonly LocalLeases _local = new(scope.Leases);
    private readonly long _origin = sessions.Runtime.Time.GetTimestamp();
    private readonly Lock _lock = new();
    private TimeSpan? _leavesBy;

    public bool IsEmpty => _local.IsAllDone();

    public bool IsLeaving => LeavesBy is not null;

    private TimeSpan Now => sessions.Runtime.Time.GetElapsedTime(_origin);

    private TimeSpan? LeavesBy
    {
        get
        {
            lock (_lock)
            {
                return _leavesBy;
            }
        }
    }

    public LeaseStage[] Stages() => _local.Stages(Now, holder.IsIdle);

    /// <summary>From now on everything is given up for good, within the patience.</summary>
    public void Leave(TimeSpan patience)
    {
        lock (_lock)
        {
            _leavesBy ??= Now + patience;
        }
    }

    /// <summary>Whether anything has moved that the next plan depends on.</summary>
    public bool Act(LeaseRound round, Session session)
    {
        var moved = false;
        for (var lease = 0; lease < scope.Leases; lease++)
        {
            var record = round.Assignment!.Leases[lease];
            var (_, token) = _local[lease];
            if (record.State != LeaseState.Held || record.Session != session.Id || record.Token != token)
            {
                moved |= Lose(lease, token, "the assignment names another holder") || _local.TryClear(lease);
            }
        }

        foreach (var claim in round.Plan.Claims)
        {
            moved |= Take(new LeaseGrant(claim.Lease, claim.Token, session.Id, round.FromDead.Contains(claim.Lease)), session);
        }

        foreach (var lease in round.Plan.GiveUps)
        {
            // Not awaited: the loop goes on meanwhile, and is woken by the answer.
            _ = GiveUpAsync(lease);
        }

        return moved;
    }

    /// <summary>Whether it was held under this token.</summary>
    public bool Lose(int lease, long token, string reason)
    {
        if (!_local.TryLose(lease, token))
        {
            return false;
        }

        logger.LeaseLost(lease, scope.Subscription, reason);
        holder.Lose(lease, reason);
        return true;
    }

    public void LoseAll(string reason)
    {
        for (var lease = 0; lease < scope.Leases; lease++)
        {
            _local.TryClear(lease);
            if (_local.TryLose(lease))
            {
                logger.LeaseLost(lease, scope.Subscription, reason);
                holder.Lose(lease, reason);
            }
        }
    }

    /// <summary>For a run that breaks <see cref="BrokenRules.GoOnAfterRelease"/> only.</summary>
    public void GoOn(Session session)
    {
        for (var lease = 0; lease < scope.Leases; lease++)
        {
            var token = _local[lease].Token;
            if (_local.TryGoOn(lease, token))
            {
                holder.Take(new LeaseGrant(lease, token, session.Id, TakenFromDead: false));
            }
        }
    }

    private bool Take(LeaseGrant grant, Session session)
    {
        // What is not taken stands in the session's name and is claimed anew, by this keeper or by who finds the session dead.
        if (!session.IsGood || !_local.TryTake(grant.Lease, grant.Token))
        {
            return false;
        }

        logger.LeaseTaken(grant.Lease, scope.Subscription, grant.Token);
        holder.Take(grant);

        // The session was lost between the two: the holder heard "lose" first and "take" last. Again.
        if (!session.IsGood || _local[grant.Lease].Token != grant.Token)
        {
            _local.TryLose(grant.Lease, grant.Token);
            holder.Lose(grant.Lease, "its session is lost");
        }

        return true;
    }

    private async Task GiveUpAsync(int lease)
    {
        var token = _local[lease].Token;
        if (!_local.TryLeave(lease, token))
        {
            return;
        }

        var leavesBy = LeavesBy;
        var hasEnded = await AskAsync(lease, Patience(leavesBy));
        if (_local.TryDrop(lease, token))
        {
            // Lost meanwhile.
        }
        else if (hasEnded)
        {
            _local.TryEnd(lease, token);
        }
        else if (leavesBy is not null && _local.TryStrand(lease, token))
        {
            logger.LeaseLost(lease, scope.Subscription, "stopped before its last cursor write was known");
            holder.Lose(lease, "the keeper is stopped");
        }
        else
        {
            _local.TryKeep(lease, token, Now + (3 * sessions.Timings.GiveUpPatience));
        }

        wake.Wake(readAgain: false);
    }

    private async Task<bool> AskAsync(int lease, TimeSpan patience)
    {
        try
        {
            return await holder.TryGiveUpAsync(lease, patience);
        }
#pragma warning disable CA1031 // whatever the holder's trouble is, the outcome of its cursor write is not known
        catch (Exception e)
#pragma warning restore CA1031
        {
            logger.GiveUpFailed(e, lease, scope.Subscription);
            return false;
        }
    }

    private TimeSpan Patience(TimeSpan? leavesBy)
    {
        if (leavesBy is { } end)
        {
            var left = end - Now;
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }

        return sessions.Runtime.Breaks(BrokenRules.BlockedHandOver) ? TimeSpan.FromDays(1) : sessions.Timings.GiveUpPatience;
    }
}

using Microsoft.Extensions.Logging;
using Pub.Storage;
using Pub.Topics;

namespace Pub.Leases;

/// <summary>What came of one round of a keeper: the assignment as it stands, and the plan by which it was written, or left alone.</summary>
/// <param name="Assignment">Null: it is gone.</param>
/// <param name="Stored">The same as stored.</param>
/// <param name="Plan">Its claims stand in the assignment, by this keeper's own write with known outcome.</param>
/// <param name="FromDead">Which of the claims are of leases whose holder died.</param>
/// <param name="NextRipe">When there may be more to claim without anybody writing.</param>
internal sealed record LeaseRound(AssignmentDocument? Assignment, StoredDocument Stored, LeasePlan Plan, IReadOnlySet<int> FromDead, TimeSpan? NextRipe)
{
    /// <summary>Somebody has struck this session out, who takes it for dead: nothing was planned.</summary>
    public bool IsStruckOut { get; init; }
}

/// <summary>
/// Reads, plans and writes one assignment. Belongs to the keeper's loop.
/// </summary>
internal sealed class AssignmentWriter(SessionKeeper sessions, LeaseScope scope, LeaseHands hands, ILogger logger)
{
    private readonly CasLoop _cas = new(sessions.Store, sessions.Runtime, sessions.Runtime.Breaks(BrokenRules.GoOnAfterRelease) ? 1 : CasLoop.MaxAttempts);
    private readonly LeftLeases _left = new(scope.Leases, sessions.Timings);
    private readonly SortedSet<int> _fromDead = [];
    private readonly long _origin = sessions.Runtime.Time.GetTimestamp();
    private string? _joinedAs;

    public DocumentKey Key { get; } = DocumentKeys.Assignment(scope.Subscription, scope.Incarnation);

    /// <summary>Whether it was ever there: then its absence means that the subscription is deleted.</summary>
    public bool IsSeen { get; private set; }

    private TimeSpan Now => sessions.Runtime.Time.GetElapsedTime(_origin);

    public async Task<LeaseRound> PlanAsync(Session session, StoredDocument? known, CancellationToken cancellationToken)
    {
        var plan = new LeasePlan();
        var isStruckOut = false;
        var options = sessions.Runtime.Breaks(BrokenRules.AssignmentNotDurable) ? default : WriteOptions.Synced;

        // The loser plans anew from what the winner wrote.
        var result = await _cas.UpdateAsync(Key, LeaseFormats.Assignment, Decide, options, known, cancellationToken);
        if (result.State is null)
        {
            return new(null, result.Stored, plan, _fromDead, null);
        }

        IsSeen = true;
        _joinedAs = isStruckOut ? null : session.Id;
        if (result.Written)
        {
            LogReleases(plan);
        }

        // A claim keeps its origin until it is known to have succeeded, however many writes that takes.
        var fromDead = new SortedSet<int>(_fromDead.Where(n => plan.Claims.Any(c => c.Lease == n)));
        _fromDead.RemoveWhere(n => fromDead.Contains(n) || !result.State.Leases[n].IsNamed(session.Id));
        return new(result.State, result.Stored, plan, fromDead, _left.Remaining(Now)) { IsStruckOut = isStruckOut };

        AssignmentDocument? Decide(AssignmentDocument? assignment)
        {
            // It was there and is gone: the subscription is deleted. Not made again.
            if (assignment is null && IsSeen)
            {
                return null;
            }

            var current = assignment ?? AssignmentDocument.New(scope);
            Check(current);
            isStruckOut = _joinedAs == session.Id && !current.Members.Contains(session.Id) && !hands.IsLeaving;
            if (isStruckOut)
            {
                plan = new LeasePlan();
                return null;
            }

            plan = LeasePlan.Make(current, View(current, session));
            _fromDead.UnionWith(plan.Claims.Where(c => c.FromDead).Select(c => c.Lease));
            return plan.Writes ? plan.Apply(current, session.Id) : null;
        }
    }

    private LeaseView View(AssignmentDocument assignment, Session session)
    {
        var now = Now;
        _left.Look(assignment, now);
        return new LeaseView
        {
            Session = session.Id,
            Dead = new SortedSet<string>(assignment.NamedSessions().Where(sessions.Monitor.IsDead), StringComparer.Ordinal),
            Stages = hands.Stages(),
            Ripe = _left.Ripe(now),
            Leaves = hands.IsLeaving,
        };
    }

    private void Check(AssignmentDocument assignment)
    {
        if (assignment.Leases.Count != scope.Leases)
        {
            throw new DocumentFormatException($"{Key} has {assignment.Leases.Count} leases; {scope.Leases} were expected.");
        }
    }

    private void LogReleases(LeasePlan plan)
    {
        foreach (var lease in plan.Releases)
        {
            logger.LeaseReleased(lease, scope.Subscription);
        }
    }
}

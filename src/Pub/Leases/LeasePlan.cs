namespace Pub.Leases;

/// <summary>
/// What one instance does next about one assignment: a pure function of the assignment and of what the instance knows.
/// Converges: when nobody joins, leaves or dies any more, all plans become empty after a few rounds, and the members' numbers of leases differ by at most one.
/// </summary>
internal sealed record LeasePlan
{
    public bool Joins { get; private init; }

    /// <summary>Members to strike out: the dead, and the instance itself when it leaves.</summary>
    public IReadOnlyList<string> Dropped { get; private init; } = [];

    /// <summary>Leases to take, each under the next higher token.</summary>
    public IReadOnlyList<LeaseClaim> Claims { get; private init; } = [];

    /// <summary>Leases that were given up and become free.</summary>
    public IReadOnlyList<int> Releases { get; private init; } = [];

    /// <summary>Leases that stay in the session's name, and on which it no longer works.</summary>
    public IReadOnlyList<int> Strands { get; private init; } = [];

    /// <summary>Leases that the holder is asked to give up. Nothing is written for them yet.</summary>
    public IReadOnlyList<int> GiveUps { get; private init; } = [];

    /// <summary>Leases to give that have to wait for their handlers.</summary>
    public int Owed { get; private init; }

    /// <summary>Whether the assignment is to be written.</summary>
    public bool Writes => Joins || Dropped.Count + Claims.Count + Releases.Count + Strands.Count > 0;

    /// <summary>Whether there is nothing to do.</summary>
    public bool IsEmpty => !Writes && GiveUps.Count == 0;

    public static LeasePlan Make(AssignmentDocument assignment, LeaseView view)
    {
        var me = view.Session;
        var endings = new LeasePlan
        {
            Releases = Mine(assignment, view, LeaseStage.Ended),
            Strands = Mine(assignment, view, LeaseStage.Stranded),
            Dropped = [.. assignment.Members.Where(m => view.Dead.Contains(m) || (view.Leaves && m == me))],
        };
        if (view.Leaves)
        {
            return endings with { GiveUps = Candidates(view, anyBusy: true), Strands = [.. endings.Strands, .. Forgotten(assignment, view, [])] };
        }

        var members = assignment.Members.Append(me).Distinct().Where(m => m == me || !view.Dead.Contains(m)).ToArray();
        var holders = assignment.Leases
            .Select((lease, number) => IsWorkedOn(lease, number, view) && members.Contains(lease.Session) ? lease.Session : null)
            .OfType<string>();
        var shares = new LeaseShares(assignment.Leases.Count, members, holders);
        var owed = shares.MustGive(me) - view.Stages.Count(s => s == LeaseStage.Leaving);
        LeaseClaim[] claims = [.. Claimable(assignment, view).Take(shares.MayClaim(me))];
        int[] giveUps = [.. Candidates(view, anyBusy: false).Take(Math.Max(0, owed))];
        return endings with
        {
            Joins = !assignment.Members.Contains(me),
            Claims = claims,
            Strands = [.. endings.Strands, .. Forgotten(assignment, view, claims)],
            GiveUps = giveUps,
            Owed = Math.Max(0, owed) - giveUps.Length,
        };
    }

    /// <summary>The assignment after the plan's write.</summary>
    public AssignmentDocument Apply(AssignmentDocument assignment, string me)
    {
        var leases = assignment.Leases.ToArray();
        foreach (var lease in Releases)
        {
            leases[lease] = leases[lease] with { Session = null, State = LeaseState.Free };
        }

        foreach (var lease in Strands)
        {
            leases[lease] = leases[lease] with { State = LeaseState.Left };
        }

        foreach (var claim in Claims)
        {
            leases[claim.Lease] = new LeaseRecord { Session = me, Token = claim.Token, State = LeaseState.Held };
        }

        var members = assignment.Members.Where(m => !Dropped.Contains(m));
        return assignment with
        {
            Members = [.. (Joins ? members.Append(me) : members).Order(StringComparer.Ordinal)],
            Leases = leases,
        };
    }

    /// <summary>Whether somebody works on it, as far as this instance can know: of its own leases it knows better than the assignment.</summary>
    private static bool IsWorkedOn(LeaseRecord lease, int number, LeaseView view) =>
        lease.State == LeaseState.Held
        && (lease.Session == view.Session ? view.IsHeldHere(number) : !view.Dead.Contains(lease.Session!));

    private static int[] Mine(AssignmentDocument assignment, LeaseView view, LeaseStage stage) =>
        [.. Enumerable.Range(0, assignment.Leases.Count).Where(n => view.Stages[n] == stage && assignment.Leases[n] is { State: LeaseState.Held } l && l.Session == view.Session)];

    /// <summary>
    /// What stands in this session's name, is not worked on here, and is more than its share: nobody else may claim it as long as the session
    /// lives, so it is marked as left.
    /// </summary>
    private static IEnumerable<int> Forgotten(AssignmentDocument assignment, LeaseView view, LeaseClaim[] claims) =>
        Mine(assignment, view, LeaseStage.None).Except(claims.Select(claim => claim.Lease));

    /// <summary>
    /// What nobody works on: free, left long enough, of the dead, or in this session's own name and forgotten: a claim whose outcome was unknown, or a
    /// release that did not happen. That too needs a higher token (executions.md 16).
    /// </summary>
    private static IEnumerable<LeaseClaim> Claimable(AssignmentDocument assignment, LeaseView view)
    {
        for (var number = 0; number < assignment.Leases.Count; number++)
        {
            var lease = assignment.Leases[number];
            var isOfDead = lease.State != LeaseState.Free && view.Dead.Contains(lease.Session!);
            var isOpen = lease.State switch
            {
                LeaseState.Free => true,
                LeaseState.Left => isOfDead || view.Ripe.Contains(number),
                _ => isOfDead || lease.Session == view.Session,
            };
            if (isOpen && view.Stages[number] == LeaseStage.None)
            {
                yield return new LeaseClaim(number, lease.Token + 1, isOfDead && lease.State == LeaseState.Held);
            }
        }
    }

    /// <summary>Idle ones first, and of these the highest number, which was claimed last.</summary>
    private static int[] Candidates(LeaseView view, bool anyBusy) =>
    [
        .. Enumerable.Range(0, view.Stages.Count)
            .Where(n => view.Stages[n] is LeaseStage.Idle or LeaseStage.Busy || (anyBusy && view.Stages[n] == LeaseStage.Kept))
            .OrderBy(n => view.Stages[n])
            .ThenByDescending(n => n),
    ];
}

/// <summary>A lease to take.</summary>
/// <param name="Lease">Its number.</param>
/// <param name="Token">The new token.</param>
/// <param name="FromDead">Whether its holder died with it.</param>
internal readonly record struct LeaseClaim(int Lease, long Token, bool FromDead);

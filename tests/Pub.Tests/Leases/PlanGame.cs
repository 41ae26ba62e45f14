using Pub.Leases;

namespace Pub.Tests.Leases;

/// <summary>
/// Several instances that play by <see cref="LeasePlan"/> on one assignment, one step at a time in random order, and what must hold at every step.
/// </summary>
internal sealed class PlanGame(int leases, int seed)
{
    private readonly Random _random = new(seed);
    private readonly List<Player> _players = [];
    private readonly SortedSet<string> _dead = new(StringComparer.Ordinal);
    private AssignmentDocument _assignment = AssignmentDocument.New(new LeaseScope(SubscriptionName.Plain("s"), "i", leases));
    private int _names;

    public void Happen(int happening)
    {
        var player = _players.Count == 0 ? null : _players[_random.Next(_players.Count)];
        switch (happening)
        {
            case 0 or 1 when _players.Count < 12:
                _players.Add(new Player($"{(char)('a' + _random.Next(26))}{_names++}", leases));
                break;
            case 2 when player is not null:
                player.Leaves = true;
                break;
            case 3 when player is not null:
                _players.Remove(player);
                _dead.Add(player.Name);
                break;
        }
    }

    public void RandomSteps(int count)
    {
        for (var i = 0; i < count && _players.Count > 0; i++)
        {
            Step(_players[_random.Next(_players.Count)]);
        }
    }

    public void Converge()
    {
        for (var round = 0; round < 60; round++)
        {
            var moved = false;
            foreach (var player in _players.OrderBy(_ => _random.Next()).ToArray())
            {
                moved |= Step(player);
            }

            if (!moved)
            {
                CheckFair();
                return;
            }
        }

        Assert.Fail("The plans did not become empty within 60 rounds.");
    }

    private bool Step(Player player)
    {
        var before = _assignment;
        var view = new LeaseView { Session = player.Name, Dead = _dead, Stages = [.. player.Stages], Ripe = new SortedSet<int>(), Leaves = player.Leaves };
        var plan = LeasePlan.Make(_assignment, view);
        _assignment = plan.Writes ? plan.Apply(_assignment, player.Name) : _assignment;
        Check(before, player, plan);
        foreach (var lease in plan.Releases)
        {
            player.Stages[lease] = LeaseStage.None;
        }

        foreach (var claim in plan.Claims)
        {
            player.Stages[claim.Lease] = _random.Next(2) == 0 ? LeaseStage.Idle : LeaseStage.Busy;
        }

        foreach (var lease in plan.GiveUps)
        {
            player.Stages[lease] = LeaseStage.Ended;
        }

        if (player.Leaves && player.Stages.All(s => s == LeaseStage.None))
        {
            _players.Remove(player);
        }

        return !plan.IsEmpty;
    }

    private void Check(AssignmentDocument before, Player player, LeasePlan plan)
    {
        for (var lease = 0; lease < leases; lease++)
        {
            var (old, now) = (before.Leases[lease], _assignment.Leases[lease]);
            Assert.True(now.Token >= old.Token, "A token fell.");
            Assert.True(now.Session == old.Session || now.Session is null || now.Token > old.Token, "A holder changed without a higher token.");
            Assert.Equal(now.State == LeaseState.Free, now.Session is null);
            if (old.Session is { } holder && holder != player.Name && now != old)
            {
                Assert.Contains(holder, _dead);
            }
        }

        var other = _players.Where(p => p != player && p.IsHolding(plan.Claims.Select(c => c.Lease)));
        Assert.Empty(other);
    }

    private void CheckFair()
    {
        if (_players.Count == 0)
        {
            return;
        }

        Assert.Equal(_players.Select(p => p.Name).Order(StringComparer.Ordinal), _assignment.Members);
        Assert.All(_assignment.Leases, l => Assert.Equal(LeaseState.Held, l.State));
        var counts = _players.Select(p => _assignment.Leases.Count(l => l.Session == p.Name)).ToArray();
        Assert.True(counts.Max() - counts.Min() <= 1, $"Unfair: {string.Join("/", counts)}");
        Assert.All(_players, p => Assert.Equal(p.Stages.Count(s => s is LeaseStage.Idle or LeaseStage.Busy), _assignment.Leases.Count(l => l.Session == p.Name)));
    }

    private sealed class Player(string name, int leases)
    {
        public string Name => name;

        public bool Leaves { get; set; }

        public LeaseStage[] Stages { get; } = new LeaseStage[leases];

        public bool IsHolding(IEnumerable<int> numbers) => numbers.Any(n => Stages[n] is LeaseStage.Idle or LeaseStage.Busy or LeaseStage.Leaving);
    }
}

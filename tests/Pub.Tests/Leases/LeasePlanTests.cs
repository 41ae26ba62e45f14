using CsCheck;
using Pub.Leases;

namespace Pub.Tests.Leases;

public sealed class LeasePlanTests
{
    private static readonly LeaseScope Scope = new(SubscriptionName.Plain("audit"), "i1");

    [Fact]
    public void Make_NobodyThere_JoinsAndClaimsAll()
    {
        var plan = LeasePlan.Make(AssignmentDocument.New(Scope), View("a"));

        Assert.True(plan.Joins);
        Assert.Equal(Enumerable.Range(0, 16), plan.Claims.Select(c => c.Lease));
        Assert.All(plan.Claims, c => Assert.Equal((1, false), (c.Token, c.FromDead)));
    }

    [Fact]
    public void Make_SecondMember_GivesHalfIdleOnesFirst()
    {
        var assignment = Assignment("ab", "aaaaaaaaaaaaaaaa");
        var stages = Held(16, LeaseStage.Busy);
        foreach (var idle in (int[])[0, 3, 5])
        {
            stages[idle] = LeaseStage.Idle;
        }

        var plan = LeasePlan.Make(assignment, View("a", stages));

        Assert.Equal([5, 3, 0, 15, 14, 13, 12, 11], plan.GiveUps);
        Assert.False(plan.Writes);
    }

    [Fact]
    public void Make_LeasesAlreadyLeaving_GivesOnlyTheRest()
    {
        var stages = Held(16, LeaseStage.Busy);
        Array.Fill(stages, LeaseStage.Leaving, 0, 6);

        var plan = LeasePlan.Make(Assignment("ab", "aaaaaaaaaaaaaaaa"), View("a", stages));

        Assert.Equal(2, plan.GiveUps.Count);
    }

    [Fact]
    public void Make_AllHandlersOutlastedThePatience_OwesAndKeepsThem()
    {
        var plan = LeasePlan.Make(Assignment("ab", "aaaaaaaaaaaaaaaa"), View("a", Held(16, LeaseStage.Kept)));

        Assert.Empty(plan.GiveUps);
        Assert.Equal(8, plan.Owed);
    }

    [Fact]
    public void Make_HolderNotKnownDead_LeavesItsLeases()
    {
        var plan = LeasePlan.Make(Assignment("a", "bbbbbbbbbbbbbbbb"), View("a"));

        Assert.Empty(plan.Claims);
    }

    [Fact]
    public void Make_HolderKnownDead_ClaimsUnderHigherTokens()
    {
        var plan = LeasePlan.Make(Assignment("ab", "bbbbbbbbbbbbbbbb", token: 4), View("a", dead: ["b"]));

        Assert.Equal(["b"], plan.Dropped);
        Assert.Equal(16, plan.Claims.Count);
        Assert.All(plan.Claims, c => Assert.Equal((5, true), (c.Token, c.FromDead)));
    }

    [Fact]
    public void Make_OwnNameButNotHeldHere_ClaimsUnderHigherToken()
    {
        var plan = LeasePlan.Make(Assignment("a", "a", token: 7), View("a", new LeaseStage[1]));

        Assert.Equal([new LeaseClaim(0, 8, FromDead: false)], plan.Claims);
    }

    [Theory]
    [InlineData(nameof(LeaseStage.Ended))]
    [InlineData(nameof(LeaseStage.Stranded))]
    [InlineData(nameof(LeaseStage.Dropping))]
    public void Make_OwnNameButBeingLetGo_IsNotClaimedYet(string name)
    {
        var stage = Enum.Parse<LeaseStage>(name);
        var plan = LeasePlan.Make(Assignment("a", "a"), View("a", [stage]));

        Assert.Empty(plan.Claims);
        Assert.Equal(stage == LeaseStage.Ended, plan.Releases.Contains(0));
        Assert.Equal(stage == LeaseStage.Stranded, plan.Strands.Contains(0));
    }

    [Fact]
    public void Make_LeaseLeft_IsClaimedOnlyWhenRipeOrItsSessionIsDead()
    {
        var left = Assignment("ab", "b") with { Leases = [new LeaseRecord { Session = "b", Token = 2, State = LeaseState.Left }] };

        Assert.Empty(LeasePlan.Make(left with { Members = ["a"] }, View("a", new LeaseStage[1])).Claims);
        Assert.Equal([new LeaseClaim(0, 3, false)], LeasePlan.Make(left with { Members = ["a"] }, View("a", new LeaseStage[1], ripe: [0])).Claims);
        Assert.Equal([new LeaseClaim(0, 3, false)], LeasePlan.Make(left, View("a", new LeaseStage[1], dead: ["b"])).Claims);
    }

    [Fact]
    public void Make_Leaving_GivesAllAndDropsItself()
    {
        var plan = LeasePlan.Make(Assignment("ab", "aabb"), View("a", [LeaseStage.Kept, LeaseStage.Ended, LeaseStage.None, LeaseStage.None]) with { Leaves = true });

        Assert.Equal(["a"], plan.Dropped);
        Assert.Equal([0], plan.GiveUps);
        Assert.Equal([1], plan.Releases);
        Assert.Empty(plan.Claims);
    }

    [Theory]
    [InlineData("aaaaaaaabbbbbbbb", "abc", 2, 3)]
    [InlineData("aaaaaabbbbbccccc", "abc", 0, 0)]
    [InlineData("aaaaabbbccc...", "abcd", 0, 0)]
    [InlineData("aaaaabbbcccddd", "abcd", 1, 0)]
    public void MustGive_Table_TakesFromWhoHasMost(string holders, string members, int ofA, int ofB)
    {
        var shares = new LeaseShares(holders.Length, [.. members.Select(m => m.ToString())], holders.Where(h => h != '.').Select(h => h.ToString()));

        Assert.Equal((ofA, ofB), (shares.MustGive("a"), shares.MustGive("b")));
    }

    [Fact]
    public void Plans_RandomJoinsLeavesDeaths_ConvergeToFairShares() =>
        Gen.Select(Gen.Int[0, 3].Array[0, 40], Gen.Int[1, 24], Gen.Int[0, int.MaxValue]).Sample((events, leases, seed) =>
        {
            var game = new PlanGame(leases, seed);
            foreach (var happening in events)
            {
                game.Happen(happening);
                game.RandomSteps(5);
            }

            game.Converge();
        });

    private static LeaseStage[] Held(int count, LeaseStage stage) => [.. Enumerable.Repeat(stage, count)];

    private static LeaseView View(string me, LeaseStage[]? stages = null, string[]? dead = null, int[]? ripe = null) => new()
    {
        Session = me,
        Dead = new HashSet<string>(dead ?? []),
        Stages = stages ?? new LeaseStage[16],
        Ripe = new HashSet<int>(ripe ?? []),
    };

    /// <summary>One letter a lease: its holder, '.' free.</summary>
    private static AssignmentDocument Assignment(string members, string holders, long token = 1) => new()
    {
        Subscription = "s:audit",
        Incarnation = "i1",
        Members = [.. members.Select(m => m.ToString())],
        Leases = [.. holders.Select(h => h == '.'
            ? new LeaseRecord { Token = token }
            : new LeaseRecord { Session = h.ToString(), Token = token, State = LeaseState.Held })],
    };
}

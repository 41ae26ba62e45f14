using Microsoft.Extensions.Logging.Abstractions;
using Pub.Leases;
using Pub.Simulation.Kernel;
using Pub.Simulation.Store;
using Pub.Storage;
using Pub.Topics;

namespace Pub.Simulation.Scenarios;

/// <summary>Sessions that are killed, paused, suspended, cut off or forgotten: executions 13, 21 and 23, and the time it takes until others go on.</summary>
public sealed class SessionScenarios
{
    [Theory]
    [InlineData(3)]
    [InlineData(41)]
    [InlineData(49.9)]
    [InlineData(50.1)]
    [InlineData(55)]
    public void Kill_AtAnyMomentOfItsBeat_AnotherGoesOnWithinTheSessionTimeAndTwoSeconds(double at) => Play(async s =>
    {
        var a = await s.NewLeaseNodeAsync("a");
        await s.Delay(4);
        var b = await s.NewLeaseNodeAsync("b");
        await s.UntilShared(1, (a, 8), (b, 8));
        await s.Delay(at);
        a.Process.Kill();
        await s.Delay(19);
        s.Check(b.Held.Count == 8, "Taken over before the owner had to stop.");
        await s.UntilShared(32 - 19, (b, 16));
        s.Check(b.Taken.Count(g => g.TakenFromDead) == 8, "The takeover is not known as one from a dead session.");
        s.Check(LeaseNode.Read(s).Members.Count == 1, "The dead member is still listed.");
    });

    [Fact]
    public void Pause_LongerThanItsSession_LosesAllAndComesBackUnderHigherTokens() => Play(async s =>
    {
        var a = await s.NewLeaseNodeAsync("a");
        var first = a.Sessions.Current!;
        a.Process.Stop(suspend: false);
        var b = await s.NewLeaseNodeAsync("b");
        await s.UntilShared(45, (b, 16));
        s.Check(b.Grants.All(g => g.Token == 2), "The tokens were not raised.");
        a.GoOn();
        await s.Until(() => a.LostLeases.Count == 16, 1.1);
        s.Check(!first.IsGood, "A lost session is good again.");
        await s.UntilShared(10, (a, 8), (b, 8));
        s.Check(a.Sessions.Current!.Id != first.Id, "A lost session was resumed.");
    });

    [Fact]
    public void Suspend_MonotonicClockStoodStill_OwnerKnowsByItsWallClock() => Scenario.IsCaught(BrokenRules.MonotonicClockOnly, async s =>
    {
        var a = await s.NewLeaseNodeAsync("a");
        var b = await s.NewLeaseNodeAsync("b");
        await s.Delay(10.5);
        a.Process.Stop(suspend: true);
        await s.UntilShared(45, (b, 16));
        a.Store.IsCutOff = true;
        a.GoOn();
        await s.Delay(1.5);
        s.Check(a.LostLeases.Count == 8, "A suspended owner goes on with leases that others have.");
    });

    [Fact]
    public void DocumentRemoved_OwnerAlive_NobodyTakesItsLeasesWhileItHoldsThem() => Scenario.IsCaught(BrokenRules.OneLookAtSession, async s =>
    {
        var a = await s.NewLeaseNodeAsync("a");
        var b = await s.NewLeaseNodeAsync("b");
        await s.Delay(30.5);
        s.Cluster.Remove("test", DocumentKeys.Session(a.Sessions.Current!.Id), default, default);
        a.Store.IsCutOff = true;
        await s.UntilShared(35, (b, 16));
        s.Check(a.LostLeases.Count == 8, "Taken over before the owner had to stop.");
        a.Store.IsCutOff = false;
        await s.UntilShared(60, (a, 8), (b, 8));
    });

    [Fact]
    public void Beat_AfterTakenForDead_Fails() => Scenario.IsCaught(BrokenRules.NoDeadMark, async s =>
    {
        // Clocks at half speed: this owner alone would not notice in time.
        var owner = s.World.NewNode("a", new ClockSettings(default, 0.5, 0.5));
        var session = await owner.Process.Do(() => Session.StartAsync(owner.Store, owner.Runtime, LeaseTimings.Default, "a", NullLogger.Instance));
        var b = await s.NewLeaseNodeAsync("b");
        var beat = owner.Store.HoldNext(StoreOperation.Replace, "session/");
        await s.Until(() => b.Sessions.Monitor.IsDead(session.Id), 60);
        beat.Proceed();
        await s.Delay(0.1);
        s.Check(session.Lost.IsCancellationRequested, "A session that others take for dead goes on.");
    });

    [Fact]
    public void Beat_StoreAwayForLessThanTheOwnersTimeout_SessionLives() => Play(async s =>
    {
        var a = await s.NewLeaseNodeAsync("a");
        await s.Delay(9);
        s.Cluster.Faults = s.Cluster.Faults with { Unavailable = 1 };
        await s.Delay(9);
        s.Cluster.Faults = StoreFaults.None;
        await s.Delay(30);
        s.Check(a.Held.Count == 16 && a.LostLeases.Count == 0, "The session was lost.");
    });

    [Fact]
    public void Beat_StoreAwayForLonger_LosesAllInTimeAndRejoins() => Play(async s =>
    {
        var a = await s.NewLeaseNodeAsync("a");
        await s.Delay(10.5);
        s.Cluster.Faults = s.Cluster.Faults with { Unavailable = 1 };
        await s.Delay(18.5);
        s.Check(a.Held.Count == 16, "Lost too early.");
        await s.Delay(2.1);
        s.Check(a.Held.Count == 0, "Still held after the owner's timeout.");
        s.Cluster.Faults = StoreFaults.None;
        await s.UntilShared(45, (a, 16));
        s.Check(a.Grants.All(g => g.Token == 2), "Rejoined under the old tokens.");
    });

    [Fact]
    public void Beat_HangsInTheStore_LostInTimeAllTheSame() => Play(async s =>
    {
        var a = await s.NewLeaseNodeAsync("a");
        var beat = a.Store.HoldNext(StoreOperation.Replace, "session/");
        await beat.Arrived;
        await s.Delay(9);
        s.Check(a.Held.Count == 16, "Lost too early.");
        await s.Until(() => a.LostLeases.Count == 16, 2.1);
    });

    [Fact]
    public void Beat_UnknownButApplied_SessionLives() => Play(async s =>
    {
        var a = await s.NewLeaseNodeAsync("a");
        var beat = a.Store.HoldNext(StoreOperation.Replace, "session/");
        await beat.Arrived;
        beat.Land();
        beat.AnswerUnknown();
        await s.Delay(40);
        s.Check(a.Held.Count == 16 && a.LostLeases.Count == 0, "The session was lost.");
    });

    [Fact]
    public void Temporary_SessionKilled_IsRemovedOnceAfterTenMinutes() => Play(async s =>
    {
        var removed = new List<(string, string)>();
        var a = await s.NewLeaseNodeAsync("a");
        var b = await s.NewLeaseNodeAsync("b", removeTemporary: (name, session) =>
        {
            removed.Add((name.ToString(), session));
            return Task.CompletedTask;
        });
        var session = a.Sessions.Current!;
        await a.Process.Do(() => session.AddTemporaryAsync(SubscriptionName.Plain("reply")));
        a.Process.Kill();
        await s.Delay(600);
        s.Check(removed.Count == 0, "Removed too early.");
        await s.Delay(60);
        s.Check(removed is [("s:reply", var of)] && of == session.Id, $"Removed: {string.Join(", ", removed)}");
        s.Check(!s.Cluster.Read(DocumentKeys.Session(session.Id)).Exists, "The dead session's document is still there.");
        s.Check(Listed(s) is [var only] && only == b.Sessions.Current!.Id, "The dead session is still listed.");
    });

    [Fact]
    public void Idle_TwoInstances_ReadTheSessionsOnceABeat() => Play(async s =>
    {
        var a = await s.NewLeaseNodeAsync("a");
        await s.NewLeaseNodeAsync("b");
        await s.Delay(60);
        var before = a.Store.Reads;
        await s.Delay(1000);

        // Ten reads of the directory and of each of two sessions in 100 s, and some to find the beat.
        var reads = a.Store.Reads - before;
        s.Check(reads <= 360, $"{reads} reads in 100 beats.");
    });

    private static IReadOnlyList<string> Listed(Scenario s) =>
        LeaseFormats.Directory.Read(DocumentKeys.Sessions, s.Cluster.Read(DocumentKeys.Sessions))?.Sessions ?? [];

    private static void Play(Func<Scenario, Task> script) => Scenario.Play(BrokenRules.None, script).ThrowIfFailed();
}

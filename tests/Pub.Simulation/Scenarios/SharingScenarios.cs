using Pub.Leases;
using Pub.Simulation.Store;

namespace Pub.Simulation.Scenarios;

/// <summary>Who gets which leases while instances come, stop and hold on: fair shares, hand-over, executions 13, 16, 27's unit and 28.</summary>
public sealed class SharingScenarios
{
    [Fact]
    public void Join_OneAfterTheOther_SharesAreFairWithinASecond() => Play(async s =>
    {
        var a = await s.NewLeaseNodeAsync("a");
        await s.UntilShared(0, (a, 16));
        var b = await s.NewLeaseNodeAsync("b");
        await s.UntilShared(1, (a, 8), (b, 8));
        var c = await s.NewLeaseNodeAsync("c");
        await s.Until(() => Counts(a, b, c) is [5, 5, 6], 1);
        await c.StopAsync();
        await s.UntilShared(1, (a, 8), (b, 8));
        var taken = a.Taken.Count + b.Taken.Count;
        await s.Delay(60);
        s.Check(a.Taken.Count + b.Taken.Count == taken, "Leases moved though nobody came or went.");
        s.Check(a.LostLeases.Count + b.LostLeases.Count + c.LostLeases.Count == 0, "A lease was lost, not given.");
    });

    [Fact]
    public void Join_ManyAtOnce_SharesAreFair() => Play(async s =>
    {
        var nodes = new List<LeaseNode>();
        for (var i = 0; i < 10; i++)
        {
            nodes.Add(await s.NewLeaseNodeAsync($"n{i}", starts: false));
        }

        await Task.WhenAll(nodes.Select(n => n.StartAsync()));
        await s.Until(() => nodes.All(n => n.Held.Count is 1 or 2) && nodes.Sum(n => n.Held.Count) == 16, 5);
    });

    [Fact]
    public void Stop_WithoutHandlers_AnotherGoesOnAtOnce() => Play(async s =>
    {
        var a = await s.NewLeaseNodeAsync("a");
        var b = await s.NewLeaseNodeAsync("b");
        await s.UntilShared(1, (a, 8), (b, 8));
        await a.StopAsync();
        await s.UntilShared(1, (b, 16));
        s.Check(b.Taken.All(g => !g.TakenFromDead), "An orderly stop was taken for a death.");
        s.Check(LeaseNode.Read(s).Members.Count == 1, "The member that left is still listed.");
        s.Check(s.Cluster.Read(Topics.DocumentKeys.Session(a.Sessions.Current!.Id)).Exists == false, "The session was not removed.");
    });

    [Fact]
    public void Stop_OneHandlerRuns_TheOthersAreReleasedAtOnce() => Play(async s =>
    {
        var a = await s.NewLeaseNodeAsync("a");
        var b = await s.NewLeaseNodeAsync("b");
        await s.UntilShared(1, (a, 8), (b, 8));
        a.Busy.Add(a.Held.First());
        var stop = a.StopAsync(5);
        await s.UntilShared(1, (b, 15));
        await stop;
        s.Check(a.LostLeases.Count == 1, "The lease whose handler ran on was not lost.");
    });

    [Fact]
    public void Stop_CursorWriteUnknown_LeaseIsNotReleasedAndTakenLater() => Play(async s =>
    {
        var a = await s.NewLeaseNodeAsync("a");
        a.Doubtful.Add(3);
        await a.StopKeeperAsync();
        var record = LeaseNode.Read(s).Leases[3];
        s.Check(record.State == LeaseState.Left && record.Session == a.Sessions.Current!.Id, $"The lease is {record}.");
        var b = await s.NewLeaseNodeAsync("b");
        s.Check(b.Held.Count == 15, "The lease was taken at once.");
        await s.UntilShared(12, (b, 16));
        s.Check(b.Grants.Single(g => g.Lease == 3).Token == record.Token + 1, "The token was not raised.");
    });

    [Fact]
    public void GiveUp_HandlersRunForAnHour_LeasesAreKeptAndGivenWhenTheyEnd() => Scenario.IsCaught(BrokenRules.BlockedHandOver, async s =>
    {
        var a = await s.NewLeaseNodeAsync("a");
        a.Busy.UnionWith(Enumerable.Range(0, 16));
        var b = await s.NewLeaseNodeAsync("b");
        await s.Delay(60);
        s.Check(a.Held.Count == 16 && b.Held.Count == 0, "A lease with a running handler was handed over.");
        s.Check(a.Asked.All(g => g.Patience <= TimeSpan.FromSeconds(10)), "Reading stood still for longer than the patience.");
        s.Check(a.Asked.GroupBy(g => g.Lease).All(g => g.Count() <= 2), "Reading was stopped again and again.");
        a.Busy.Clear();
        await s.UntilShared(3, (a, 8), (b, 8));
    });

    [Fact]
    public void GiveUp_SomeIdle_IdleOnesGoAtOnce() => Play(async s =>
    {
        var a = await s.NewLeaseNodeAsync("a");
        a.Busy.UnionWith([0, 2, 4, 6, 8, 10]);
        var b = await s.NewLeaseNodeAsync("b");
        await s.UntilShared(1, (a, 8), (b, 8));
        s.Check(a.Busy.All(a.Held.Contains), "A busy lease went before an idle one.");
    });

    [Fact]
    public void Release_UnknownAndLandsLater_NeverGoesOnUnderThatToken() => Scenario.IsCaught(BrokenRules.GoOnAfterRelease, async s =>
    {
        var a = await s.NewLeaseNodeAsync("a");
        var b = await s.NewLeaseNodeAsync("b", starts: false);
        var release = a.Store.HoldNext(StoreOperation.Replace, "assignment/");
        var join = b.StartAsync();
        await release.Arrived;
        release.AnswerUnknown();
        await s.Delay(2);
        release.Land();
        await join;
        await s.UntilShared(3, (a, 8), (b, 8));
    });

    [Fact]
    public void Claim_UnknownButApplied_IsClaimedAnewBeforeItIsTaken() => Play(async s =>
    {
        var a = await s.NewLeaseNodeAsync("a", starts: false);
        var claim = a.Store.HoldNext(StoreOperation.Insert, "assignment/");
        var start = a.StartAsync();
        await claim.Arrived;
        claim.Land();
        claim.AnswerUnknown();
        await start;
        s.Check(a.Grants.Count == 16 && a.Grants.All(g => g.Token == 2), "Taken under the token of a write whose outcome nobody knew.");
    });

    [Fact]
    public void Claim_UnknownAndLandsLater_IsDeadByThen() => Play(async s =>
    {
        var a = await s.NewLeaseNodeAsync("a", starts: false);
        var claim = a.Store.HoldNext(StoreOperation.Insert, "assignment/");
        var start = a.StartAsync();
        await claim.Arrived;
        claim.AnswerUnknown();
        await start;
        claim.Land();
        await s.Delay(5);
        var assignment = LeaseNode.Read(s);
        s.Check(a.Grants.All(g => assignment.Leases[g.Lease].Token == g.Token), "The late write took the claim back.");
    });

    [Fact]
    public void RequestLose_AssignmentStillNamesIt_ClaimsUnderAHigherToken() => Play(async s =>
    {
        var a = await s.NewLeaseNodeAsync("a");
        var grant = a.Grants.First();
        await a.Process.Do(() =>
        {
            a.Keeper.RequestLose(grant, "another token in the cursor");
            return Task.CompletedTask;
        });
        s.Check(a.LostLeases is [(0, _)], "The holder was not told.");
        await s.UntilShared(1, (a, 16));
        s.Check(a.Grants.First().Token == grant.Token + 1, "The token was not raised.");
    });

    [Fact]
    public void Assignment_Removed_EndsTheKeeper() => Play(async s =>
    {
        var a = await s.NewLeaseNodeAsync("a");
        s.Cluster.Remove("test", LeaseNode.Assignment, default, default);
        await s.Until(() => a.Keeper.Gone.IsCompleted, 1);
        s.Check(a.Held.Count == 0, "Leases of a deleted subscription are held.");
        await s.Delay(30);
        s.Check(!s.Cluster.Read(LeaseNode.Assignment).Exists, "The assignment was made again.");
        await a.StopAsync();
    });

    private static int[] Counts(params LeaseNode[] nodes) => [.. nodes.Select(n => n.Held.Count).Order()];

    private static void Play(Func<Scenario, Task> script) => Scenario.Play(BrokenRules.None, script).ThrowIfFailed();
}

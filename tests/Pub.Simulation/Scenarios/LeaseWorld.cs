namespace Pub.Simulation.Scenarios;

/// <summary>What every scenario of leases checks at every take.</summary>
internal static class LeaseWorld
{
    private static readonly System.Runtime.CompilerServices.ConditionalWeakTable<Scenario, List<LeaseNode>> Nodes = [];

    public static async Task<LeaseNode> NewLeaseNodeAsync(this Scenario scenario, string name, bool starts = true, Func<SubscriptionName, string, Task>? removeTemporary = null)
    {
        var node = new LeaseNode(scenario, name, removeTemporary);
        Nodes.GetOrCreateValue(scenario).Add(node);
        if (starts)
        {
            await node.StartAsync();
        }

        return node;
    }

    /// <summary>A stopped process needs this long after it goes on to look at its clocks.</summary>
    private static readonly TimeSpan Awakening = TimeSpan.FromSeconds(1.1);

    /// <summary>No two instances under one token, ever; and no two that run and have looked at their clocks work on one lease.</summary>
    public static void CheckHolders(this Scenario scenario)
    {
        var all = Nodes.GetOrCreateValue(scenario);
        var twice = all.SelectMany(n => n.Taken.Select(g => (g.Lease, g.Token))).GroupBy(g => g).FirstOrDefault(g => g.Count() > 1);
        scenario.Check(twice is null, $"Taken twice under one token: {twice?.Key}.");
        var now = scenario.World.Scheduler.Elapsed;
        var awake = all.Where(n => n.Process.State == Kernel.ProcessState.Running && n.ResumedAt < now - Awakening);
        var shared = awake.SelectMany(n => n.Held).GroupBy(l => l).FirstOrDefault(g => g.Count() > 1);
        scenario.Check(shared is null, $"Two holders of lease {shared?.Key}.");
    }

    public static Task UntilShared(this Scenario scenario, double seconds, params (LeaseNode Node, int Leases)[] shares) =>
        scenario.Until(() => shares.All(s => s.Node.Held.Count == s.Leases), seconds);
}

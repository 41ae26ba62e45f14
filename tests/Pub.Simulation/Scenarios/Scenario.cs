using Microsoft.Extensions.Logging.Abstractions;
using Pub.Simulation.Kernel;
using Pub.Simulation.Store;
using Pub.Topics;

namespace Pub.Simulation.Scenarios;

/// <summary>An exact interleaving: one world without random faults, and a script that holds single store operations.</summary>
internal sealed class Scenario
{
    private static readonly TimeSpan Limit = TimeSpan.FromHours(2);

    private Scenario(SimWorld world) => World = world;

    public SimWorld World { get; }

    public SimCluster Cluster => World.Cluster;

    /// <summary>The script keeps the protocol; without the rule it breaks something, and says what.</summary>
    public static void IsCaught(BrokenRules rule, Func<Scenario, Task> script)
    {
        Play(BrokenRules.None, script).ThrowIfFailed();
        var broken = Play(rule, script);
        Assert.True(broken.Failure is not null, $"Nothing noticed that {rule} is left out.{Environment.NewLine}{broken.Trace.Tail(100)}");
        Assert.DoesNotContain("Exception", broken.Failure, StringComparison.Ordinal);
    }

    public static SimWorld Play(BrokenRules broken, Func<Scenario, Task> script, int seed = 1)
    {
        var world = new SimWorld(seed, broken: broken);
        world.Run(() => script(new Scenario(world)), Limit);
        return world;
    }

    public Task Delay(double seconds) => World.Delay(TimeSpan.FromSeconds(seconds));

    public Task<LogNode> NewLogNodeAsync(string name)
    {
        var node = World.NewNode(name);
        var directory = new TopicDirectory(node.Store, node.Runtime, NullLogger<TopicDirectory>.Instance);
        var log = new ShardLog(node.Store, node.Runtime, PubTimings.Default, NullLogger<ShardLog>.Instance);
        return node.Process.Do(async () =>
        {
            await directory.GetOrCreateAsync(LogNode.Topic, new TopicSettings { Shards = 1 });
            return new LogNode(this, node, log);
        });
    }

    public void Check(bool condition, string otherwise)
    {
        if (!condition)
        {
            World.Fail(otherwise);
        }
    }

    public async Task Until(Func<bool> condition, double seconds = 120)
    {
        for (var waited = 0.0; !condition(); waited += 0.01)
        {
            if (waited > seconds)
            {
                World.Fail($"Did not come true within {seconds} s.");
                return;
            }

            await Delay(0.01);
        }
    }
}

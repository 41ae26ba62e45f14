using Pub.Simulation.Kernel;
using Pub.Topics;

namespace Pub.Simulation.Core;

/// <summary>The processes of a run: started, stopped, killed and healed. Each runs every subscription that is planned.</summary>
internal sealed class Fleet(CoreSimulation run)
{
    private readonly List<CoreNode> _nodes = [];

    /// <summary>Neither dead nor stopping. Some may be paused.</summary>
    public IReadOnlyList<CoreNode> Live => [.. _nodes.Where(node => !node.IsGone)];

    public CoreNode? Any()
    {
        var live = Live;
        return live.Count == 0 ? null : live[run.Random.Next(live.Count)];
    }

    /// <summary>Lets a part of the harness run by itself; its error fails the run.</summary>
    public void Begin(Task task) => _ = WatchAsync(task);

    public async Task CreateTopicsAsync()
    {
        var node = new CoreNode(run);
        _nodes.Add(node);
        foreach (var topic in run.Topics)
        {
            await node.CreateTopicAsync(topic);
        }

        await node.StopAsync();
        _nodes.Remove(node);
    }

    public async Task StartNodeAsync()
    {
        var node = new CoreNode(run);
        _nodes.Add(node);
        foreach (var subscription in run.Operator.Wanted)
        {
            await node.SubscribeAsync(subscription);
        }
    }

    /// <summary>Everything that was stopped goes on, and at least one process lives.</summary>
    public async Task HealAsync()
    {
        foreach (var node in Live)
        {
            node.Node.Process.GoOn();
            node.Node.Store.IsCutOff = false;
        }

        if (Live.Count == 0)
        {
            await StartNodeAsync();
        }
    }

    public async Task StopAllAsync()
    {
        foreach (var node in Live)
        {
            await node.StopAsync();
        }
    }

    private async Task WatchAsync(Task task)
    {
        try
        {
            await task;
        }
        catch (OperationCanceledException)
        {
            // a process died
        }
        catch (Exception exception)
        {
            run.World.Fail($"The harness met an unexpected error: {exception}");
        }
    }
}

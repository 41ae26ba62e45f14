using Pub.Simulation.Kernel;

namespace Pub.Simulation.Core;

/// <summary>What goes wrong with processes, clocks, and the cluster's groups, at the rates that the seed drew. Scaling is no fault, but is done here too.</summary>
internal sealed class Chaos(CoreSimulation run)
{
    public void Begin()
    {
        var knobs = run.Knobs;
        Every(knobs.Failovers, () => run.World.Cluster.FailOverRandomGroup(Seconds(0.1, 15)));
        Every(knobs.Kills, Kill);
        Every(knobs.Pauses, () => Stop(suspend: false));
        Every(knobs.Suspends, () => Stop(suspend: true));
        Every(knobs.CutOffs, CutOff);
        Every(knobs.ClockSteps, StepClock);
        Every(knobs.Scalings, Scale);
    }

    private void Every(double perMinute, Action action)
    {
        if (perMinute > 0)
        {
            run.Fleet.Begin(RepeatAsync(60 / perMinute, action));
        }
    }

    private async Task RepeatAsync(double meanSeconds, Action action)
    {
        while (await run.DelayUnlessOver(-Math.Log(1 - run.Random.NextDouble()) * meanSeconds))
        {
            action();
        }
    }

    private void Kill()
    {
        if (run.Fleet.Any() is { } node)
        {
            KillAndRestart(node);
        }
    }

    public void KillAndRestart(CoreNode node)
    {
        node.Kill();
        run.Fleet.Begin(RestartAsync());
    }

    private async Task RestartAsync()
    {
        await run.DelayUnlessOver(Seconds(0, 20).TotalSeconds);
        await run.Fleet.StartNodeAsync();
    }

    private void Stop(bool suspend)
    {
        if (run.Fleet.Any() is { } node)
        {
            run.World.Trace.Add(node.Name, suspend ? "suspended" : "paused", "");
            node.Node.Process.Stop(suspend);
            run.Fleet.Begin(GoOnAsync(node));
        }
    }

    private async Task GoOnAsync(CoreNode node)
    {
        await run.DelayUnlessOver(run.Random.Next(2) == 0 ? Seconds(0.1, 5).TotalSeconds : Seconds(10, 60).TotalSeconds);
        run.World.Trace.Add(node.Name, "goes on", "");
        node.Node.Process.GoOn();
    }

    private void CutOff()
    {
        if (run.Fleet.Any() is { } node)
        {
            run.World.Trace.Add(node.Name, "cut off", "");
            node.Node.Store.IsCutOff = true;
            run.Fleet.Begin(ConnectAsync(node));
        }
    }

    private async Task ConnectAsync(CoreNode node)
    {
        await run.DelayUnlessOver(run.Random.Next(2) == 0 ? Seconds(0.1, 5).TotalSeconds : Seconds(10, 60).TotalSeconds);
        run.World.Trace.Add(node.Name, "connected", "");
        node.Node.Store.IsCutOff = false;
    }

    private void StepClock()
    {
        if (run.Fleet.Any() is { } node)
        {
            var by = run.Knobs.ClockError * (Seconds(-1, 1).TotalSeconds * (run.Random.Next(3) == 0 ? 1 : 0.01));
            run.World.Trace.Add(node.Name, "clock step", by.ToString());
            node.Node.Process.Clock.StepWallClock(by);
        }
    }

    private void Scale()
    {
        var live = run.Fleet.Live;
        if (live.Count < 2 || (live.Count < 5 && run.Random.Next(2) == 0))
        {
            run.Fleet.Begin(run.Fleet.StartNodeAsync());
        }
        else
        {
            run.Fleet.Begin(live[run.Random.Next(live.Count)].StopAsync());
        }
    }

    private TimeSpan Seconds(double from, double to) => TimeSpan.FromSeconds(from + ((to - from) * run.Random.NextDouble()));
}

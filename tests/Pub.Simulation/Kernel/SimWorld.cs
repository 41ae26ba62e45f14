using Pub.Simulation.Store;

namespace Pub.Simulation.Kernel;

/// <summary>
/// One simulated system: a scheduler, a cluster, processes, and a process of the harness's own ("test") that no fault touches. Everything random in it comes
/// from the seed.
/// </summary>
internal sealed class SimWorld
{
    private int _processes;

    public SimWorld(int seed, bool verbose = false, bool firstInFirstOut = false, BrokenRules broken = BrokenRules.None)
    {
        Seed = seed;
        Broken = broken;
        Random = new Random(seed);
        Scheduler = new SimScheduler(Random.Next(), firstInFirstOut);
        Trace = new SimTrace(Scheduler) { IsVerbose = verbose };
        Cluster = new SimCluster(Scheduler, Trace, Random.Next());
        Test = new SimProcess("test", Scheduler);
    }

    public int Seed { get; }

    public BrokenRules Broken { get; }

    public Random Random { get; }

    public SimScheduler Scheduler { get; }

    public SimTrace Trace { get; }

    public SimCluster Cluster { get; }

    public SimProcess Test { get; }

    /// <summary>A new process with its own clocks, connection and runtime.</summary>
    public SimNode NewNode(string? name = null, ClockSettings? clock = null)
    {
        var process = new SimProcess(name ?? $"n{++_processes}", Scheduler, clock);
        Trace.Add("test", "start", process.Name);
        return new SimNode(
            process, new NodeStore(Cluster, process), new PubRuntime(process.Clock, Random.Next(), process.Start) { Broken = Broken });
    }

    /// <summary>Runs the harness's code to its end, and everything it sets going, for at most this long of virtual time.</summary>
    public void Run(Func<Task> script, TimeSpan limit)
    {
        Task? done = null;
        Scheduler.Post(Test, _ => done = script(), null);
        var ended = Scheduler.Run(() => done is { IsCompleted: true }, limit);
        if (done is { IsFaulted: true })
        {
            Scheduler.Fail(done.Exception!.InnerException!.ToString());
        }
        else if (!ended)
        {
            Scheduler.Fail($"The run did not end within {limit} of virtual time.");
        }
    }

    public string? Failure => Scheduler.Failure;

    public Task Delay(TimeSpan duration) => Task.Delay(duration, Test.Clock);

    public void Fail(string reason)
    {
        Trace.Add("test", "FAILURE", reason);
        Scheduler.Fail(reason);
    }

    /// <summary>For scenarios: throws with the seed and the end of the trace when something went wrong.</summary>
    public void ThrowIfFailed()
    {
        if (Scheduler.Failure is { } failure)
        {
            throw new SimulationException($"seed {Seed}: {failure}{Environment.NewLine}{Trace.Tail(150)}");
        }
    }
}

/// <summary>A process with its connection and runtime.</summary>
internal sealed record SimNode(SimProcess Process, NodeStore Store, PubRuntime Runtime)
{
    public string Name => Process.Name;
}

/// <summary>A run broke something that must always hold.</summary>
public sealed class SimulationException(string message) : Exception(message);

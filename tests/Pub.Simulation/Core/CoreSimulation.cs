using Pub.Simulation.Kernel;

namespace Pub.Simulation.Core;

/// <summary>
/// One run of the whole core: a random workload on random processes while things go wrong; then faults stop, everything must drain within a bound, and the
/// invariants are checked from outside.
/// </summary>
internal sealed class CoreSimulation
{
    private static readonly TimeSpan Limit = TimeSpan.FromHours(6);

    private readonly TaskCompletionSource _over = new();

    private CoreSimulation(Knobs knobs, bool verbose, BrokenRules broken)
    {
        Knobs = knobs;
        World = new SimWorld(knobs.Seed, verbose, knobs.FirstInFirstOut, broken);
        Ledger = new Ledger(World);
        var deadLetters = new DeadLetters();
        World.Cluster.Observers.Add(deadLetters.Observe);
        Checks = new LedgerChecks(Ledger, deadLetters.Contains);
        Topics = [.. knobs.TopicShards.Select((shards, index) => new SimTopic(TopicName.Topic($"t{index}"), shards, knobs.KeepsForTime))];
        Fleet = new Fleet(this);
        Operator = new Operator(this);
        Chaos = new Chaos(this);
    }

    public Knobs Knobs { get; }

    public SimWorld World { get; }

    public Random Random => World.Random;

    public Ledger Ledger { get; }

    public LedgerChecks Checks { get; }

    public IReadOnlyList<SimTopic> Topics { get; }

    public Fleet Fleet { get; }

    public Operator Operator { get; }

    public Chaos Chaos { get; }

    /// <summary>Whether the part in which things go wrong is over.</summary>
    public bool IsOver => _over.Task.IsCompleted;

    public static RunResult Run(int seed, bool verbose = false, BrokenRules broken = BrokenRules.None) => Run(Knobs.Draw(seed), verbose, broken);

    public static RunResult Run(Knobs knobs, bool verbose = false, BrokenRules broken = BrokenRules.None)
    {
        var run = new CoreSimulation(knobs, verbose, broken);
        if (verbose)
        {
            Console.WriteLine(knobs);
        }

        run.World.Cluster.Observers.Add(new StoreMonitor(run.World).Observe);
        using var watchdog = new Timer(_ => Console.Error.WriteLine($"seed {knobs.Seed} has run for long; at {run.World.Scheduler.Elapsed}, step {run.World.Scheduler.Steps}: {run.World.Scheduler.CurrentStep}"), null, 15_000, 5_000);
        run.World.Run(run.PlayAsync, Limit);
        return new RunResult(
            knobs, run.World.Failure, run.World.Trace, run.Ledger.Published.Count, run.Ledger.DeliveryCount, run.World.Scheduler.Steps, run.World.Scheduler.Elapsed);
    }

    /// <summary>
    /// Over how many leases a log's keys are spread. One key is with one lease only among logs that agree in this (docs/broken-rules.md); queues have 16 shards.
    /// </summary>
    public int LeasesOf(TopicName topic)
    {
        for (var i = 0; i < Topics.Count; i++)
        {
            if (Topics[i].Name == topic)
            {
                return Topics[i].IsResized ? -i - 1 : Math.Min(16, Topics[i].Shards);
            }
        }

        return 16;
    }

    public Task Delay(double seconds) => World.Delay(TimeSpan.FromSeconds(seconds));

    /// <summary>Waits; false when the part in which things go wrong is over.</summary>
    public async Task<bool> DelayUnlessOver(double seconds)
    {
        await Task.WhenAny(Delay(seconds), _over.Task);
        return !IsOver;
    }

    private async Task PlayAsync()
    {
        await Fleet.CreateTopicsAsync();
        Operator.PlanSubscriptions();
        for (var i = 0; i < Knobs.Nodes; i++)
        {
            Fleet.Begin(Fleet.StartNodeAsync());
        }

        await Until("the first subscriptions", () => Ledger.Subscriptions.All(subscription => subscription.ReadsSince.Count > 0), 60);
        World.Cluster.Faults = Knobs.Faults;
        var publishing = Enumerable.Range(0, Knobs.Publishers).Select(index => new PublisherActor(this, index).RunAsync()).ToArray();
        Chaos.Begin();
        Operator.Begin();
        await Delay(Knobs.Duration.TotalSeconds);
        _over.SetResult();
        World.Trace.Add("test", "faults end", "");
        World.Cluster.Faults = Knobs.Faults.WithoutFaults();
        await Fleet.HealAsync();
        await Until("every publisher to end", () => publishing.All(task => task.IsCompleted), 120);
        await Until("every command to succeed", () => Operator.Pending == 0, 120);
        await DrainAsync();
    }

    private async Task DrainAsync()
    {
        // What is still on its way may come as late as this, and must do no harm.
        var late = Knobs.Faults.UnknownAppliedLater > 0 ? Knobs.Faults.LongestOnItsWay.TotalSeconds : 0;
        await Until("every confirmed message to be settled", () => !Checks.AnyMissing(), 300 + late, () => string.Join("; ", Checks.Missing().Take(5)));
        await Delay(late + 5);
        // A message that kills its process, delivered again after a rewind, takes a session's time for each death.
        var floors = new FloorCheck(World, Ledger);
        await Until("every floor to reach the tail", () => floors.Behind().FirstOrDefault() is null, Knobs.Poison > 0 ? 300 : 90, () => $"Invariant 7: {floors.Behind().FirstOrDefault()}");
        Report(Checks.OutOfOrder());
        await Fleet.StopAllAsync();
        if (Knobs.IsFaultless)
        {
            Report(Checks.Repeated());
        }
    }

    private void Report(IEnumerable<string> faults)
    {
        if (faults.FirstOrDefault() is { } fault)
        {
            World.Fail(fault);
        }
    }

    private async Task Until(string reason, Func<bool> condition, double seconds, Func<string>? detail = null)
    {
        var end = World.Scheduler.Elapsed + TimeSpan.FromSeconds(seconds);
        while (!condition())
        {
            if (World.Scheduler.Elapsed > end)
            {
                World.Fail($"Waited {seconds} s for {reason}. {detail?.Invoke()}");
                return;
            }

            await Delay(1);
        }
    }
}

/// <summary>A topic of a run.</summary>
internal sealed class SimTopic(TopicName name, int shards, bool keepsForTime)
{
    public TopicName Name => name;

    public int Shards { get; private set; } = shards;

    /// <summary>Whether shards were added: then its keys have moved between leases.</summary>
    public bool IsResized { get; private set; }

    public TopicSettings Settings => keepsForTime
        ? new TopicSettings { Shards = Shards, Retention = Retention.WhenSettledAndAfterTime, RetentionTime = TimeSpan.FromSeconds(15) }
        : new TopicSettings { Shards = Shards };

    public void Resize() => (Shards, IsResized) = (Shards * 2, true);
}

/// <summary>How a run ended.</summary>
internal sealed record RunResult(
    Knobs Knobs, string? Failure, SimTrace Trace, int Messages, int Deliveries, long Steps, TimeSpan VirtualTime)
{
    public int Seed => Knobs.Seed;

    public ulong TraceHash => Trace.Hash;

    public string Report(int lines) => Failure is null
        ? $"{Knobs}{Environment.NewLine}passed: {Messages} messages, {Deliveries} deliveries, {Steps} steps, {VirtualTime.TotalSeconds:F0} s of virtual time, trace {TraceHash:x16}"
        : $"{Trace.Tail(lines)}{Environment.NewLine}{Knobs}{Environment.NewLine}FAILED: {Failure}{Environment.NewLine}trace {TraceHash:x16}; replay: dotnet run --project tests/Pub.Simulation -- --seed {Seed} --verbose";
}

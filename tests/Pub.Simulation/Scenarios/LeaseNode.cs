using Microsoft.Extensions.Logging.Abstractions;
using Pub.Leases;
using Pub.Simulation.Kernel;
using Pub.Simulation.Store;
using Pub.Storage;
using Pub.Topics;

namespace Pub.Simulation.Scenarios;

/// <summary>One instance that wants a share of one subscription's leases, and what it was told about them.</summary>
internal sealed class LeaseNode : ILeaseHolder
{
    public static readonly LeaseScope Scope = new(SubscriptionName.Plain("audit"), "i1");
    public static readonly DocumentKey Assignment = DocumentKeys.Assignment(Scope.Subscription, Scope.Incarnation);

    private readonly Scenario _scenario;
    private readonly SimNode _node;
    private readonly SortedDictionary<int, LeaseGrant> _held = [];

    public LeaseNode(Scenario scenario, string name, Func<SubscriptionName, string, Task>? removeTemporary = null)
    {
        _scenario = scenario;
        _node = scenario.World.NewNode(name);
        Sessions = new SessionKeeper(_node.Store, _node.Runtime, LeaseTimings.Default, name, NullLogger.Instance, removeTemporary);
        Keeper = new LeaseKeeper(Sessions, Scope, this, NullLogger.Instance);
        _node.Process.WhenDead(_held.Clear);
    }

    public string Name => _node.Name;

    public NodeStore Store => _node.Store;

    public SimProcess Process => _node.Process;

    public SessionKeeper Sessions { get; }

    public LeaseKeeper Keeper { get; }

    /// <summary>Leases with a handler that runs on for as long as they are in here.</summary>
    public HashSet<int> Busy { get; } = [];

    /// <summary>Leases whose last cursor write ends with an unknown outcome.</summary>
    public HashSet<int> Doubtful { get; } = [];

    /// <summary>What it was asked to give up, and within what time.</summary>
    public List<(int Lease, TimeSpan Patience)> Asked { get; } = [];

    /// <summary>When it last went on after a stop: it may need a look at its clocks to know that its session is lost.</summary>
    public TimeSpan ResumedAt { get; private set; } = TimeSpan.MinValue;

    public List<LeaseGrant> Taken { get; } = [];

    public List<(int Lease, string Reason)> LostLeases { get; } = [];

    public IReadOnlyCollection<int> Held => _held.Keys;

    public IReadOnlyCollection<LeaseGrant> Grants => _held.Values;

    public static AssignmentDocument Read(Scenario scenario) =>
        LeaseFormats.Assignment.Read(Assignment, scenario.Cluster.Read(Assignment)) ?? AssignmentDocument.New(Scope);

    public void GoOn()
    {
        ResumedAt = _scenario.World.Scheduler.Elapsed;
        Process.GoOn();
    }

    public Task StartAsync() => _node.Process.Do(() =>
    {
        Sessions.Start();
        return Keeper.StartAsync();
    });

    public Task StopAsync(double patienceSeconds = 10) => _node.Process.Do(async () =>
    {
        await Keeper.StopAsync(TimeSpan.FromSeconds(patienceSeconds));
        await Sessions.StopAsync();
    });

    public Task StopKeeperAsync(double patienceSeconds = 10) => _node.Process.Do(() => Keeper.StopAsync(TimeSpan.FromSeconds(patienceSeconds)));

    public void Take(LeaseGrant grant)
    {
        _held.Add(grant.Lease, grant);
        Taken.Add(grant);
        _scenario.World.Trace.Add(Name, "take", grant.ToString());
        _scenario.CheckHolders();
    }

    public bool IsIdle(int lease) => !Busy.Contains(lease);

    public async Task<bool> TryGiveUpAsync(int lease, TimeSpan patience)
    {
        Asked.Add((lease, patience));
        if (!Doubtful.Contains(lease) && Busy.Contains(lease))
        {
            await Task.Delay(patience, _node.Runtime.Time);
        }

        if (Doubtful.Contains(lease) || Busy.Contains(lease) || !_held.ContainsKey(lease))
        {
            return false;
        }

        _held.Remove(lease);
        return true;
    }

    public void Lose(int lease, string reason)
    {
        LostLeases.Add((lease, reason));
        _held.Remove(lease);
        _scenario.World.Trace.Add(Name, "lose", $"{lease}: {reason}");
    }
}

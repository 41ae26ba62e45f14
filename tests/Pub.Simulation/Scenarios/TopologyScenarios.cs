using Pub.Simulation.Store;
using Pub.Storage;
using Pub.Topics;
using Pub.Topology;

namespace Pub.Simulation.Scenarios;

/// <summary>Executions 2, 8, 11, 12, 22, 23 and 24: what the registry and a trim must do before anybody relies on them.</summary>
public sealed class TopologyScenarios
{
    private static readonly TopicName C = TopicName.Topic("C");
    private static readonly TopicName I = TopicName.Topic("I");
    private static readonly SubscriptionName S = SubscriptionName.Plain("s");

    [Fact]
    public void Trim_FailoverAfterwards_SlotIsNotHandedOutAgain() => Scenario.IsCaught(BrokenRules.SlotReuseAfterTrim, async s =>
    {
        var node = new RegistryNode(s, "n");
        await node.CreateAsync(C);
        await node.AppendAsync(C, "a");
        await node.TrimAsync(C, new Offset(2));
        s.Cluster.FailOver(SimCluster.GroupOf(DocumentKeys.Topic(C, 0)), TimeSpan.FromMinutes(1));
        var offset = await node.AppendAsync(C, "b");
        s.Check(offset > Offset.First, $"b was confirmed at {offset}, where readers have been.");
    });

    [Fact]
    public void Trim_TrimmerDiesMidway_NextGoesOnWhereItEnded() => Scenario.IsCaught(BrokenRules.NoRemoved, async s =>
    {
        var (one, other) = (new RegistryNode(s, "n"), new RegistryNode(s, "m"));
        await one.CreateAsync(C);
        for (var i = 0; i < 100; i++)
        {
            await one.AppendAsync(C, $"m{i}");
        }

        await one.TrimAsync(C, new Offset(101), limit: 90);
        one.Process.Kill();
        var before = s.Cluster.Operations[(int)StoreOperation.Remove];
        await other.TrimAsync(C, new Offset(101));
        var removals = s.Cluster.Operations[(int)StoreOperation.Remove] - before;
        s.Check(removals == 10, $"The next trimmer removed {removals} entries; 10 were left.");
    });

    [Fact]
    public void Flow_PublisherDiesAfterRecording_NextPublishersMessageIsNotBeforeTheStart() => Scenario.IsCaught(BrokenRules.NoFlowTails, async s =>
    {
        var (reader, dying, publisher) = (new RegistryNode(s, "r"), new RegistryNode(s, "dying"), new RegistryNode(s, "p"));
        await reader.CreateAsync(C);
        await reader.DeclareAsync(S, I);
        await dying.Process.Do(() => dying.Registry.RecordFlowAsync(C, I));
        dying.Process.Kill();
        await publisher.Process.Do(() => publisher.Registry.RecordFlowAsync(C, I));
        var offset = await publisher.AppendAsync(C, "m");
        var view = await reader.Process.Do(() => reader.Registry.FindAsync(S));
        var start = view!.Sources.Single(source => source.Topic == C).StartOf(0);
        s.Check(start <= Position.StartOf(offset), $"m lies at {offset}, before the start at {start}.");
    });

    [Fact]
    public void Flow_PublisherDiesBetweenTheSides_NextPublisherCompletesIt()
    {
        Scenario.Play(BrokenRules.None, async s =>
        {
            var (reader, dying, publisher) = (new RegistryNode(s, "r"), new RegistryNode(s, "dying"), new RegistryNode(s, "p"));
            await reader.CreateAsync(C);
            await reader.DeclareAsync(S, I);
            var second = dying.Store.HoldNext(StoreOperation.Replace, "topic/t:I");
            _ = dying.Process.Do(() => dying.Registry.RecordFlowAsync(C, I));
            await second.Arrived;
            dying.Process.Kill();
            await publisher.Process.Do(() => publisher.Registry.RecordFlowAsync(C, I));
            var offset = await publisher.AppendAsync(C, "m");
            var view = await reader.Process.Do(() => reader.Registry.FindAsync(S));
            s.Check(view!.Sources.Any(source => source.Topic == C && source.StartOf(0) <= Position.StartOf(offset)), "m is not read.");
        }).ThrowIfFailed();
    }

    [Fact]
    public void Declare_InstanceDiesBeforeListing_NextStartListsIt() => Scenario.IsCaught(BrokenRules.NoRepeatedListing, async s =>
    {
        var (dying, next) = (new RegistryNode(s, "dying"), new RegistryNode(s, "next"));
        await dying.CreateAsync(C);
        var listing = dying.Store.HoldNext(StoreOperation.Insert, "Topology/topic/t:C");
        _ = dying.DeclareAsync(S, C);
        await listing.Arrived;
        dying.Process.Kill();
        await next.DeclareAsync(S, C);
        var stored = s.Cluster.Read(DocumentKeys.TopicTopology(C));
        s.Check(
            stored.Exists && TopicTopologyDocument.Format.Read(DocumentKeys.TopicTopology(C), stored)!.Readers.Any(reader => reader.Subscription == S.ToString()),
            "C does not list s: it would be trimmed under it.");
    });

    [Fact]
    public void Declare_SubscriptionMadeAnew_FormerHoldersCursorIsNotItsOwn() => Scenario.IsCaught(BrokenRules.NoIncarnation, async s =>
    {
        var (paused, other) = (new RegistryNode(s, "paused"), new RegistryNode(s, "other"));
        await paused.CreateAsync(C);
        var before = await paused.DeclareAsync(S, C);
        await other.Process.Do(() => other.Registry.DeleteAsync(S));
        var after = await other.DeclareAsync(S, C);

        // The paused holder wakes up and makes its first cursor write: floor 900.
        await paused.Process.Do(() => paused.Store.InsertAsync(DocumentKeys.Cursor(S, before.Incarnation, 0), "{}"u8.ToArray(), WriteOptions.Synced).AsTask());
        s.Check(!s.Cluster.Read(DocumentKeys.Cursor(S, after.Incarnation, 0)).Exists, "The new subscription starts at a floor of the old one.");
    });

    [Fact]
    public void Declare_QueueWithMessages_StartsAtTheFirst() => Scenario.IsCaught(BrokenRules.QueueStartsAtTail, async s =>
    {
        var node = new RegistryNode(s, "n");
        var queue = TopicName.Queue("x");
        await node.CreateAsync(queue);
        await node.AppendAsync(queue, "early");
        var view = await node.DeclareAsync(SubscriptionName.Queue("x"));
        var start = view.Sources.Single(source => source.Topic == queue).StartOf(0);
        s.Check(start == Position.Beginning, $"The queue is read from {start}; what was sent before is never read.");
    });

    [Fact]
    public void RemoveTemporary_SessionLongDead_TopicsListItNoMore() => Scenario.IsCaught(BrokenRules.TemporaryStaysListed, async s =>
    {
        var node = new RegistryNode(s, "n");
        await node.CreateAsync(C);
        await node.Process.Do(() => node.Registry.DeclareAsync(
            new SubscriptionDeclaration(S) { Topics = [new DeclaredTopic(C)], TemporarySession = "dead-session" }));
        await node.Process.Do(() => node.Registry.RemoveTemporaryAsync(S, "dead-session"));
        var topology = TopicTopologyDocument.Format.Read(DocumentKeys.TopicTopology(C), s.Cluster.Read(DocumentKeys.TopicTopology(C)));
        s.Check(topology!.Readers.Count == 0, "C is held for ever by a subscription of a dead process.");
    });
}

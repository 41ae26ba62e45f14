using Pub.Topics;
using Pub.Topology;

namespace Pub.Tests.Topology;

/// <summary>A process dies between any two of its writes; whoever comes next completes what it began (executions.md 8, 22).</summary>
public sealed class RegistryCrashTests
{
    private static readonly TopicName Orders = TopicName.Topic("orders");
    private static readonly TopicName Events = TopicName.Topic("events");
    private static readonly SubscriptionName Audit = SubscriptionName.Plain("audit");

    [Fact]
    public Task Execution22_DeclareCutShort_IsCompletedByTheNextStart() => TestCluster.ForEveryCrashAsync(
        prepare: cluster => cluster.Main.Registry.RecordFlowAsync(Orders, Events, TestCluster.Cancellation),
        work: process => process.DeclareAsync(Audit, new DeclaredTopic(Events)),
        repeatAndCheck: async cluster =>
        {
            var view = await cluster.Start().DeclareAsync(Audit, new DeclaredTopic(Events));
            Assert.Equal([Audit.OwnQueue, Events, Orders], view.Sources.Select(source => source.Topic));
            await AssertListedAsync(cluster, view, Events);
            await AssertListedAsync(cluster, view, Audit.OwnQueue);
            Assert.Contains(Audit, await new Catalog(cluster.Store, cluster.Main.Runtime).ListSubscriptionsAsync(TestCluster.Cancellation));
        });

    [Fact]
    public Task Execution22_WithoutRepeating_StaysUnlisted() => Assert.ThrowsAnyAsync<Exception>(() => TestCluster.ForEveryCrashAsync(
        prepare: _ => Task.CompletedTask,
        work: process => process.DeclareAsync(Audit, new DeclaredTopic(Events)),
        repeatAndCheck: async cluster =>
        {
            var view = await cluster.Start(broken: BrokenRules.NoRepeatedListing).DeclareAsync(Audit, new DeclaredTopic(Events));
            await AssertListedAsync(cluster, view, Events);
        }));

    [Fact]
    public Task RecordFlow_CutShort_IsCompletedByTheNextPublisher() => TestCluster.ForEveryCrashAsync(
        prepare: cluster => cluster.Main.DeclareAsync(Audit, new DeclaredTopic(Events)),
        work: process => process.Registry.RecordFlowAsync(Orders, Events, TestCluster.Cancellation),
        repeatAndCheck: async cluster =>
        {
            var publisher = cluster.Start();
            await publisher.Registry.RecordFlowAsync(Orders, Events, TestCluster.Cancellation);
            var published = await publisher.AppendAsync(new ShardId(Orders, 0));
            var view = await cluster.Main.Registry.FindAsync(Audit, TestCluster.Cancellation);
            var source = view!.Sources.Single(source => source.Topic == Orders);
            Assert.True(source.StartOf(0) <= Position.StartOf(published));
            var sides = await cluster.Main.Topology.ReadTopicsAsync(["t:orders"], TestCluster.Cancellation);
            Assert.Equal(["t:events"], sides["t:orders"].Into);
        });

    [Fact]
    public Task Delete_CutShort_IsCompletedByTheNextDeletion() => TestCluster.ForEveryCrashAsync(
        PrepareAsync,
        work: process => process.Registry.DeleteAsync(Audit, TestCluster.Cancellation),
        repeatAndCheck: async cluster =>
        {
            await cluster.Start().Registry.DeleteAsync(Audit, TestCluster.Cancellation);
            Assert.Null(await cluster.Main.Registry.FindAsync(Audit, TestCluster.Cancellation));
            await AssertNothingLeftAsync(cluster);
        });

    [Fact]
    public Task Delete_CutShort_IsCompletedByTheNextDeclaration() => TestCluster.ForEveryCrashAsync(
        PrepareAsync,
        work: process => process.Registry.DeleteAsync(Audit, TestCluster.Cancellation),
        repeatAndCheck: async cluster =>
        {
            var isDeleted = await cluster.Main.Registry.FindAsync(Audit, TestCluster.Cancellation) is null;
            var view = await cluster.Start().DeclareAsync(Audit, new DeclaredTopic(Orders));
            await AssertListedAsync(cluster, view, Orders);
            Assert.False((await cluster.Main.Directory.RefreshAsync(Audit.OwnQueue, TestCluster.Cancellation))!.IsClosed);
            if (isDeleted)
            {
                var sides = await cluster.Main.Topology.ReadTopicsAsync(["t:orders"], TestCluster.Cancellation);
                Assert.Single(sides["t:orders"].Readers);
                await AssertNoCursorAsync(cluster);
            }
        });

    private static string s_incarnation = "";

    private static async Task PrepareAsync(TestCluster cluster)
    {
        var view = await cluster.Main.DeclareAsync(Audit, new DeclaredTopic(Orders));
        s_incarnation = view.Incarnation;
        await cluster.WriteFloorAsync(Audit, new ShardId(Orders, 3), Position.StartOf(new Offset(2)));
        await cluster.Main.AppendAsync(new ShardId(Audit.OwnQueue, 5));
    }

    private static async Task AssertNothingLeftAsync(TestCluster cluster)
    {
        await AssertNoCursorAsync(cluster);
        var sides = await cluster.Main.Topology.ReadTopicsAsync(["t:orders", Audit.OwnQueue.ToString()], TestCluster.Cancellation);
        Assert.All(sides.Values, side => Assert.Empty(side.Readers));
        Assert.False((await cluster.Store.GetAsync(DocumentKeys.Subscription(Audit), TestCluster.Cancellation)).Exists);
        Assert.False(await cluster.HasEntryAsync(new ShardId(Audit.OwnQueue, 5), 1));
        Assert.DoesNotContain(Audit, await new Catalog(cluster.Store, cluster.Main.Runtime).ListSubscriptionsAsync(TestCluster.Cancellation));
    }

    private static async Task AssertNoCursorAsync(TestCluster cluster)
    {
        var cursor = await cluster.Store.GetAsync(DocumentKeys.Cursor(Audit, s_incarnation, 3), TestCluster.Cancellation);
        Assert.False(cursor.Exists);
    }

    private static async Task AssertListedAsync(TestCluster cluster, SubscriptionView view, TopicName topic)
    {
        var sides = await cluster.Main.Topology.ReadTopicsAsync([topic.ToString()], TestCluster.Cancellation);
        Assert.Contains(sides[topic.ToString()].Readers, reader => reader.Subscription == view.Name.ToString() && reader.Incarnation == view.Incarnation);
    }
}

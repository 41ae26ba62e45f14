using Pub.Storage;
using Pub.Tests.Topology;
using Pub.Topics;
using Pub.Topology;
using Pub.Trimming;

namespace Pub.Tests.Trimming;

/// <summary>Trims beside declarations and publishers, and trimmers that die between any two writes (executions.md 2, 11, 22).</summary>
public sealed class TrimRaceTests
{
    private static readonly TopicName Orders = TopicName.Topic("orders");
    private static readonly ShardId Shard = new(Orders, 0);
    private static readonly SubscriptionName Audit = SubscriptionName.Plain("audit");
    private static readonly SubscriptionName Late = SubscriptionName.Plain("late");

    /// <summary>
    /// At some read or write of a trim a second subscription is declared, a message is published after that and settled by the first one.
    /// Wherever that falls, the second must still get the message.
    /// </summary>
    [Fact]
    public async Task Trim_DeclarationAtAnyMoment_LeavesWhatItIsOwed()
    {
        for (var moment = 1; ; moment++)
        {
            var (happened, owed, head) = await TrimWithDeclarationAsync(moment, BrokenRules.None);
            if (!happened)
            {
                Assert.True(moment > 5);
                return;
            }

            Assert.True(owed >= head, $"At operation {moment} entry {owed} was taken: the head is {head}.");
        }
    }

    [Fact]
    public async Task Trim_DeclarationWithoutReadingTheRegistryAgain_LosesAMessage()
    {
        for (var moment = 1; ; moment++)
        {
            var (happened, owed, head) = await TrimWithDeclarationAsync(moment, BrokenRules.NoRegistryReread);
            Assert.True(happened, "No moment lost a message.");
            if (owed < head)
            {
                return;
            }
        }
    }

    [Fact]
    public Task Trim_DiesAnywhere_TheNextCompletesIt() => TestCluster.ForEveryCrashAsync(
        PrepareAsync,
        work: process => process.Trimmer.TrimAsync(Orders, TestCluster.Cancellation),
        repeatAndCheck: async cluster =>
        {
            // A publisher goes on meanwhile, and no slot is used twice.
            Assert.Equal(new Offset(7), await cluster.Main.AppendAsync(Shard));
            await cluster.Start().Trimmer.TrimAsync(Orders, TestCluster.Cancellation);
            var state = await cluster.StateAsync(Shard);
            Assert.Equal((6, 6), (state.Head.Value, state.Removed.Value));
            for (var offset = 1; offset <= 7; offset++)
            {
                Assert.Equal(offset >= 6, await cluster.HasEntryAsync(Shard, offset));
            }
        });

    [Fact]
    public async Task Trim_BesidePublishers_LosesNoReservation()
    {
        await using var cluster = new TestCluster();
        await PrepareAsync(cluster);
        var store = new CountingStore(cluster.Store);
        var published = new List<Offset>();

        // Before each of the trimmer's operations on the topic's document somebody publishes.
        store.Before = async key =>
        {
            if (key == DocumentKeys.Topic(Orders, 0) && published.Count < 20)
            {
                published.Add(await cluster.Main.AppendAsync(Shard));
            }
        };
        await cluster.RunAsync(TrimAsync(cluster.Start(store)));

        Assert.NotEmpty(published);
        Assert.Equal(published.Count, published.Distinct().Count());
        var state = await cluster.StateAsync(Shard);
        Assert.Equal((6, 6 + published.Count), (state.Head.Value, state.Tail.Value));
        foreach (var offset in published)
        {
            Assert.True(await cluster.HasEntryAsync(Shard, offset.Value));
        }
    }

    [Fact]
    public async Task Trim_ManyEntries_PausesBetweenRemovals()
    {
        await using var cluster = new TestCluster();
        var removal = new EntryRemoval(cluster.Store, cluster.Main.Runtime, removalsPerSecond: 1000);
        var state = new ShardState(new Offset(2000), new Offset(2001), Offset.First, []);
        var started = cluster.Time.GetTimestamp();

        await cluster.RunAsync(removal.RemoveAsync(Shard, state, new Offset(2001), int.MaxValue, TestCluster.Cancellation));

        Assert.InRange(cluster.Time.GetElapsedTime(started), TimeSpan.FromSeconds(1.9), TimeSpan.FromSeconds(4));
    }

    [Fact]
    public async Task Trim_Jump_IsSteppedOver()
    {
        await using var cluster = new TestCluster();
        var store = new CountingStore(cluster.Store);
        var removal = new EntryRemoval(store, cluster.Main.Runtime, 1_000_000);
        var jump = new OffsetRange(new Offset(4), new Offset(1L << 41));
        var state = new ShardState(new Offset((1L << 41) + 3), new Offset((1L << 41) + 2), Offset.First, [jump]);

        var reached = await cluster.RunAsync(removal.RemoveAsync(Shard, state, state.Head, int.MaxValue, TestCluster.Cancellation));

        Assert.Equal(state.Head, reached);
        Assert.Equal(5, store.Operations);
    }

    private static async Task PrepareAsync(TestCluster cluster)
    {
        await cluster.Main.DeclareAsync(Audit, new DeclaredTopic(Orders, StartAt.Beginning));
        for (var i = 0; i < 6; i++)
        {
            await cluster.Main.AppendAsync(Shard);
        }

        await cluster.WriteFloorAsync(Audit, Shard, Position.StartOf(new Offset(6)));
    }

    private static async Task<bool> TrimAsync(TestProcess process)
    {
        await process.Trimmer.TrimAsync(Orders, TestCluster.Cancellation);
        return true;
    }

    private static async Task<(bool Happened, Offset Owed, Offset Head)> TrimWithDeclarationAsync(int moment, BrokenRules broken)
    {
        await using var cluster = new TestCluster();
        await PrepareAsync(cluster);
        var store = new CountingStore(cluster.Store);
        var owed = Offset.None;
        store.Before = async _ =>
        {
            if (store.Operations == moment)
            {
                await cluster.Main.DeclareAsync(Late, new DeclaredTopic(Orders));
                owed = await cluster.Main.AppendAsync(Shard);
                await cluster.WriteFloorAsync(Audit, Shard, Position.EndOf(owed));
            }
        };
        await cluster.RunAsync(TrimAsync(cluster.Start(store, broken)));
        return (owed > Offset.None, owed, (await cluster.StateAsync(Shard)).Head);
    }
}

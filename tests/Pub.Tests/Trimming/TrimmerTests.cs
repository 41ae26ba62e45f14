using Pub.Storage;
using Pub.Tests.Topology;
using Pub.Topics;
using Pub.Topology;
using Pub.Trimming;

namespace Pub.Tests.Trimming;

public sealed class TrimmerTests : IAsyncLifetime
{
    private static readonly TopicName Orders = TopicName.Topic("orders");
    private static readonly TopicName Events = TopicName.Topic("events");
    private static readonly ShardId Shard = new(Orders, 2);
    private static readonly SubscriptionName Audit = SubscriptionName.Plain("audit");
    private static readonly SubscriptionName Billing = SubscriptionName.Plain("billing");

    private readonly TestCluster _cluster = new();

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task Round_AllSettled_RemovesUpToTheLowestFloor()
    {
        await PrepareAsync(10, Audit, Billing);
        await FloorAsync(Audit, 8);
        await FloorAsync(Billing, 5, index: 1);

        await RoundAsync(_cluster.Main, Billing);

        var state = await _cluster.StateAsync(Shard);
        Assert.Equal((5, 5, 10), (state.Head.Value, state.Removed.Value, state.Tail.Value));
        Assert.False(await _cluster.HasEntryAsync(Shard, 4));
        Assert.True(await _cluster.HasEntryAsync(Shard, 5));
    }

    [Fact]
    public async Task Round_NotTheLowestHolder_LeavesIt()
    {
        await PrepareAsync(10, Audit, Billing);
        await FloorAsync(Audit, 8);
        await FloorAsync(Billing, 5);

        await RoundAsync(_cluster.Main, Audit);

        Assert.Equal(Offset.First, (await _cluster.StateAsync(Shard)).Head);
    }

    [Fact]
    public async Task Round_CursorMissing_CountsAsItsStart()
    {
        await PrepareAsync(4, Audit);
        await _cluster.Main.DeclareAsync(Billing, new DeclaredTopic(Orders));
        await AppendAsync(6);
        await FloorAsync(Audit, 11);

        await RoundAsync(_cluster.Main, Billing);

        Assert.Equal(new Offset(5), (await _cluster.StateAsync(Shard)).Head);
    }

    [Fact]
    public async Task Round_CursorOfAnOldIncarnation_DoesNotCount()
    {
        await PrepareAsync(10, Audit);
        var old = await _cluster.Main.Registry.FindAsync(Audit, TestCluster.Cancellation);
        await FloorAsync(Audit, 9);
        var cursor = await _cluster.Store.GetAsync(DocumentKeys.Cursor(Audit, old!.Incarnation, 2), TestCluster.Cancellation);
        await _cluster.Main.Registry.DeleteAsync(Audit, TestCluster.Cancellation);
        await _cluster.Main.DeclareAsync(Audit, new DeclaredTopic(Orders, StartAt.Beginning));
        await _cluster.Store.InsertAsync(DocumentKeys.Cursor(Audit, old.Incarnation, 2), cursor.Content);

        await RoundAsync(_cluster.Main, Audit);

        Assert.Equal(Offset.First, (await _cluster.StateAsync(Shard)).Head);
    }

    [Fact]
    public async Task Round_ReaderByFlow_HoldsTheTopicThatFlowsIn()
    {
        await _cluster.Main.DeclareAsync(Billing, new DeclaredTopic(Events));
        await _cluster.Main.Registry.RecordFlowAsync(Orders, Events, TestCluster.Cancellation);
        await PrepareAsync(10, Audit);
        await FloorAsync(Audit, 11);
        await FloorAsync(Billing, 4);

        await _cluster.Main.Trimmer.TrimAsync(Orders, TestCluster.Cancellation);

        Assert.Equal(new Offset(4), (await _cluster.StateAsync(Shard)).Head);
    }

    [Fact]
    public async Task Execution2_TailFellAfterTheTrim_NoSlotIsHandedOutAgain()
    {
        await PrepareAsync(3, Audit);
        await FloorAsync(Audit, 4);

        // A failover has taken the tail back before the trimmer raises the head.
        await SetTailAsync(1);
        await RoundAsync(_cluster.Main, Audit);

        Assert.Equal(new Offset(4), await _cluster.Main.AppendAsync(Shard));
    }

    [Fact]
    public async Task Execution2_WithoutTheRule_ASlotBelowHeadIsHandedOut()
    {
        await PrepareAsync(3, Audit);
        await FloorAsync(Audit, 4);
        await SetTailAsync(1);

        var broken = _cluster.Start(broken: BrokenRules.SlotReuseAfterTrim);
        await RoundAsync(broken, Audit);

        Assert.True(await broken.AppendAsync(Shard) < (await _cluster.StateAsync(Shard)).Head);
    }

    [Fact]
    public async Task Round_UnreadTopic_KeepsADay()
    {
        await AppendAsync(5);
        _cluster.Time.Advance(TimeSpan.FromHours(20));
        await AppendAsync(5);
        _cluster.Main.Published.Add(Orders);

        await _cluster.RunAsync(_cluster.Main.Trimmer.RoundAsync(TestCluster.Cancellation));
        Assert.Equal(Offset.First, (await _cluster.StateAsync(Shard)).Head);
        _cluster.Time.Advance(TimeSpan.FromHours(5));
        await _cluster.RunAsync(_cluster.Main.Trimmer.RoundAsync(TestCluster.Cancellation));

        Assert.Equal(new Offset(6), (await _cluster.StateAsync(Shard)).Head);
    }

    [Fact]
    public async Task Execution24_UnreadQueue_ForgetsNothing()
    {
        var queue = TopicName.Queue("x_error");
        await _cluster.Main.Registry.EnsureAsync(queue, TestCluster.Cancellation);
        await _cluster.Main.AppendAsync(new ShardId(queue, 0));
        _cluster.Main.Published.Add(queue);
        _cluster.Time.Advance(TimeSpan.FromDays(400));

        await _cluster.RunAsync(_cluster.Main.Trimmer.RoundAsync(TestCluster.Cancellation));

        Assert.Equal(Offset.First, (await _cluster.StateAsync(new ShardId(queue, 0))).Head);
    }

    [Fact]
    public async Task Round_AfterTime_TakesWhatIsNotSettled()
    {
        await _cluster.Main.Directory.GetOrCreateAsync(
            Orders, new TopicSettings { Retention = Retention.AfterTime, RetentionTime = TimeSpan.FromHours(1) }, TestCluster.Cancellation);
        await PrepareAsync(3, Audit);
        _cluster.Time.Advance(TimeSpan.FromHours(2));
        await AppendAsync(1);

        await RoundAsync(_cluster.Main, Audit);

        Assert.Equal(new Offset(4), (await _cluster.StateAsync(Shard)).Head);
    }

    [Fact]
    public async Task Round_SettledAndAfterTime_KeepsWhatIsYoung()
    {
        await _cluster.Main.Directory.GetOrCreateAsync(
            Orders, new TopicSettings { Retention = Retention.WhenSettledAndAfterTime, RetentionTime = TimeSpan.FromHours(1) }, TestCluster.Cancellation);
        await PrepareAsync(3, Audit);
        _cluster.Time.Advance(TimeSpan.FromHours(2));
        await AppendAsync(3);
        await FloorAsync(Audit, 7);

        await RoundAsync(_cluster.Main, Audit);

        Assert.Equal(new Offset(4), (await _cluster.StateAsync(Shard)).Head);
    }

    [Fact]
    public async Task Round_TemporaryHeldHere_CountsByItsFloorInMemory()
    {
        await PrepareAsync(4, Audit);
        await _cluster.Main.Registry.DeclareAsync(
            new SubscriptionDeclaration(Billing) { Topics = [new(Orders, StartAt.Beginning)], TemporarySession = "s1" }, TestCluster.Cancellation);
        await FloorAsync(Audit, 5);
        await _cluster.Main.HoldAsync(Audit);
        await _cluster.Main.HoldAsync(Billing, shard => shard == Shard ? Position.StartOf(new Offset(3)) : null);

        await _cluster.RunAsync(_cluster.Main.Trimmer.RoundAsync(TestCluster.Cancellation));

        Assert.Equal(new Offset(3), (await _cluster.StateAsync(Shard)).Head);
    }

    [Fact]
    public async Task Execution23_TemporaryWithoutSessionDocument_IsRemovedAfterTenMinutes()
    {
        await PrepareAsync(4, Audit);
        await _cluster.Main.Registry.DeclareAsync(
            new SubscriptionDeclaration(Billing) { Topics = [new(Orders, StartAt.Beginning)], TemporarySession = "s1" }, TestCluster.Cancellation);
        await FloorAsync(Audit, 5);
        await RoundAsync(_cluster.Main, Audit);
        Assert.NotNull(await _cluster.Main.Registry.FindAsync(Billing, TestCluster.Cancellation));
        _cluster.Time.Advance(TimeSpan.FromMinutes(11));

        await _cluster.RunAsync(_cluster.Main.Trimmer.RoundAsync(TestCluster.Cancellation));
        Assert.Null(await _cluster.Main.Registry.FindAsync(Billing, TestCluster.Cancellation));
        _cluster.Time.Advance(TimeSpan.FromMinutes(2));
        await _cluster.RunAsync(_cluster.Main.Trimmer.RoundAsync(TestCluster.Cancellation));

        Assert.Equal(new Offset(5), (await _cluster.StateAsync(Shard)).Head);
    }

    [Fact]
    public async Task Execution11_TrimmerDiedMidway_TheNextGoesOnWhereItEnded()
    {
        await PrepareAsync(10, Audit);
        await _cluster.Main.Marks.RaiseHeadsAsync(Orders, 0, Only(Shard.Number, 9), TestCluster.Cancellation);
        await _cluster.Main.Marks.RaiseRemovedAsync(Orders, 0, Only(Shard.Number, 4), TestCluster.Cancellation);
        await FloorAsync(Audit, 9);

        await RoundAsync(_cluster.Main, Audit);

        Assert.Equal(new Offset(9), (await _cluster.StateAsync(Shard)).Removed);
        Assert.True(await _cluster.HasEntryAsync(Shard, 3)); // below removed: not looked at again
        Assert.False(await _cluster.HasEntryAsync(Shard, 8));
    }

    [Fact]
    public async Task Execution11_UnreadTopicWhoseTrimmerDied_IsTakenOverWhenItStandsStill()
    {
        await AppendAsync(5);
        await _cluster.Main.Marks.RaiseHeadsAsync(Orders, 0, Only(Shard.Number, 6), TestCluster.Cancellation);
        _cluster.Main.Published.Add(Orders);

        await _cluster.RunAsync(_cluster.Main.Trimmer.RoundAsync(TestCluster.Cancellation));
        Assert.True(await _cluster.HasEntryAsync(Shard, 1));
        _cluster.Time.Advance(TimeSpan.FromSeconds(20));
        await _cluster.RunAsync(_cluster.Main.Trimmer.RoundAsync(TestCluster.Cancellation));

        Assert.False(await _cluster.HasEntryAsync(Shard, 1));
    }

    [Fact]
    public async Task Round_IdleTopic_IsLookedAtLessAndLess()
    {
        await PrepareAsync(1, Audit);
        var counting = new CountingStore(_cluster.Store);
        var process = _cluster.Start(counting);
        await process.HoldAsync(Audit);
        for (var i = 0; i < 30; i++)
        {
            await process.Trimmer.RoundAsync(TestCluster.Cancellation);
            _cluster.Time.Advance(TimeSpan.FromSeconds(5));
        }

        var before = counting.Operations;
        for (var i = 0; i < 12; i++)
        {
            await process.Trimmer.RoundAsync(TestCluster.Cancellation);
            _cluster.Time.Advance(TimeSpan.FromSeconds(5));
        }

        // A minute: one look at each of two topics.
        Assert.InRange(counting.Operations - before, 1, 30);
    }

    private static Offset[] Only(int shard, long offset)
    {
        var offsets = new Offset[16];
        offsets[shard] = new Offset(offset);
        return offsets;
    }

    private async Task PrepareAsync(int entries, params SubscriptionName[] subscriptions)
    {
        foreach (var subscription in subscriptions)
        {
            await _cluster.Main.DeclareAsync(subscription, new DeclaredTopic(Orders, StartAt.Beginning));
        }

        await AppendAsync(entries);
    }

    private async Task AppendAsync(int entries)
    {
        for (var i = 0; i < entries; i++)
        {
            await _cluster.Main.AppendAsync(Shard);
        }
    }

    private Task FloorAsync(SubscriptionName name, long offset, int index = 0) => _cluster.WriteFloorAsync(name, Shard, new Position(new Offset(offset), index));

    private async Task RoundAsync(TestProcess process, SubscriptionName held)
    {
        await process.HoldAsync(held);
        await _cluster.RunAsync(process.Trimmer.RoundAsync(TestCluster.Cancellation));
    }

    private async Task SetTailAsync(long tail)
    {
        var key = DocumentKeys.Topic(Orders, 0);
        await new CasLoop(_cluster.Store, _cluster.Main.Runtime).UpdateAsync(
            key,
            TopicDocument.Format,
            document =>
            {
                long[] tails = [.. document!.Tails];
                tails[Shard.Number] = tail;
                return document with { Tails = tails };
            },
            WriteOptions.Synced,
            cancellationToken: TestCluster.Cancellation);
    }
}

using Pub.Storage;
using Pub.Topics;
using Pub.Topology;

namespace Pub.Tests.Topology;

public sealed class SubscriptionRegistryTests : IAsyncLifetime
{
    private static readonly TopicName Orders = TopicName.Topic("orders");
    private static readonly TopicName Events = TopicName.Topic("events");
    private static readonly SubscriptionName Audit = SubscriptionName.Plain("audit");

    private readonly TestCluster _cluster = new();

    private SubscriptionRegistry Registry => _cluster.Main.Registry;

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task Declare_NewSubscription_StartsBehindWhatWasPublished()
    {
        await _cluster.Main.AppendAsync(new ShardId(Orders, 3));

        var view = await _cluster.Main.DeclareAsync(Audit, new DeclaredTopic(Orders));

        var source = Source(view, Orders);
        Assert.Equal(Position.StartOf(new Offset(2)), source.StartOf(3));
        Assert.Equal(Position.Beginning, source.StartOf(0));
    }

    [Fact]
    public async Task Declare_Again_KeepsIncarnationAndStarts()
    {
        var first = await _cluster.Main.DeclareAsync(Audit, new DeclaredTopic(Orders));
        await _cluster.Main.AppendAsync(new ShardId(Orders, 0));

        var second = await _cluster.Start().DeclareAsync(Audit, new DeclaredTopic(Orders));

        Assert.True(second.SameAs(first));
    }

    [Fact]
    public async Task Declare_WithAnotherTopic_AddsItAndKeepsTheFirst()
    {
        await _cluster.Main.DeclareAsync(Audit, new DeclaredTopic(Orders));
        await _cluster.Main.AppendAsync(new ShardId(Events, 0));

        var view = await _cluster.Main.DeclareAsync(Audit, new DeclaredTopic(Events));

        Assert.Equal([Audit.OwnQueue, Events, Orders], view.Sources.Select(source => source.Topic));
        Assert.Equal(Position.StartOf(new Offset(2)), Source(view, Events).StartOf(0));
        Assert.DoesNotContain(view.ReadBy([Orders]).Sources, source => source.Topic == Events);
    }

    [Fact]
    public async Task Declare_AtBeginningTimeOrPosition_StartsThere()
    {
        var shard = new ShardId(Orders, 0);
        for (var i = 0; i < 40; i++)
        {
            await _cluster.Main.AppendAsync(shard);
            _cluster.Time.Advance(TimeSpan.FromMinutes(1));
        }

        var since = _cluster.Time.GetUtcNow() - TimeSpan.FromMinutes(10);
        var positions = Enumerable.Range(0, 16).Select(n => new Position(new Offset(n + 5), 2)).ToArray();
        var beginning = await _cluster.Main.DeclareAsync(SubscriptionName.Plain("a"), new DeclaredTopic(Orders, StartAt.Beginning));
        var time = await _cluster.Main.DeclareAsync(SubscriptionName.Plain("b"), new DeclaredTopic(Orders, StartAt.Time(since)));
        var position = await _cluster.Main.DeclareAsync(SubscriptionName.Plain("c"), new DeclaredTopic(Orders, StartAt.At(positions)));

        Assert.Equal(Position.Beginning, Source(beginning, Orders).StartOf(0));
        Assert.Equal(Position.StartOf(new Offset(31)), Source(time, Orders).StartOf(0));
        Assert.Equal(positions[0], Source(position, Orders).StartOf(0));
        Assert.Equal(Position.Beginning, Source(position, Orders).StartOf(1)); // above the tail counts as the tail
    }

    [Fact]
    public async Task Declare_WrongNumberOfPositions_IsRefused() =>
        await Assert.ThrowsAsync<ArgumentException>(() => _cluster.Main.DeclareAsync(Audit, new DeclaredTopic(Orders, StartAt.At([Position.Beginning]))));

    [Fact]
    public async Task Declare_SubscriptionOfAnInterface_ReadsWhatFlowsIntoIt()
    {
        await Registry.RecordFlowAsync(Orders, Events, TestCluster.Cancellation);
        await _cluster.Main.AppendAsync(new ShardId(Orders, 0));

        var view = await _cluster.Main.DeclareAsync(Audit, new DeclaredTopic(Events));

        // The start is that of the declaration, not that of the flow.
        Assert.Equal(Position.StartOf(new Offset(2)), Source(view, Orders).StartOf(0));
        Assert.Equal([Events], Source(view, Orders).Roots);
    }

    [Fact]
    public async Task Declare_TopicWithAnOlderFlow_DoesNotTakeBackWhatIsReadAlready()
    {
        var (old, young) = (TopicName.Topic("old"), TopicName.Topic("young"));
        await Registry.RecordFlowAsync(Orders, old, TestCluster.Cancellation);
        await _cluster.Main.DeclareAsync(Audit, new DeclaredTopic(young));
        await _cluster.Main.AppendAsync(new ShardId(Orders, 0));
        await Registry.RecordFlowAsync(Orders, young, TestCluster.Cancellation);

        var view = await _cluster.Main.DeclareAsync(Audit, new DeclaredTopic(young), new DeclaredTopic(old));

        Assert.Equal(Position.StartOf(new Offset(2)), Source(view, Orders).StartOf(0));
    }

    [Fact]
    public async Task Execution8_FlowRecordedBeforeTheSubscriptionSeesIt_StartsAtTheFlow()
    {
        await _cluster.Main.DeclareAsync(Audit, new DeclaredTopic(Events));

        // One publisher records the flow and dies before any reader has seen it; another relies on it.
        await _cluster.Start().Registry.RecordFlowAsync(Orders, Events, TestCluster.Cancellation);
        var other = _cluster.Start();
        await other.Registry.RecordFlowAsync(Orders, Events, TestCluster.Cancellation);
        var published = await other.AppendAsync(new ShardId(Orders, 0));

        var view = await Registry.FindAsync(Audit, TestCluster.Cancellation);
        Assert.True(Source(view!, Orders).StartOf(0) <= Position.StartOf(published));
    }

    [Fact]
    public async Task Execution8_WithoutTails_TheMessageLiesBeforeTheStart()
    {
        await _cluster.Main.DeclareAsync(Audit, new DeclaredTopic(Events));
        var broken = _cluster.Start(broken: BrokenRules.NoFlowTails);
        await broken.Registry.RecordFlowAsync(Orders, Events, TestCluster.Cancellation);
        var published = await broken.AppendAsync(new ShardId(Orders, 0));

        var view = await broken.Registry.FindAsync(Audit, TestCluster.Cancellation);

        Assert.True(Source(view!, Orders).StartOf(0) > Position.StartOf(published));
    }

    [Fact]
    public async Task RecordFlow_Cycle_EachTopicOnce()
    {
        await Registry.RecordFlowAsync(Orders, Events, TestCluster.Cancellation);
        await Registry.RecordFlowAsync(Events, Orders, TestCluster.Cancellation);

        var view = await _cluster.Main.DeclareAsync(Audit, new DeclaredTopic(Events));

        Assert.Equal([Audit.OwnQueue, Events, Orders], view.Sources.Select(source => source.Topic));
    }

    [Fact]
    public async Task Watch_FlowRecordedElsewhere_IsToldAtOnce()
    {
        var told = Completion.Source<SubscriptionView?>();
        using var watch = Registry.Watch(Audit, view =>
        {
            if (view is not null && view.Sources.Any(source => source.Topic == Orders))
            {
                told.TrySetResult(view);
            }
        });
        await _cluster.Main.DeclareAsync(Audit, new DeclaredTopic(Events));

        await _cluster.Start().Registry.RecordFlowAsync(Orders, Events, TestCluster.Cancellation);

        await _cluster.UntilAsync("the flow is told", () => told.Task.IsCompleted, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task Watch_BegunAfterTheChangeWasSignalled_IsToldAtOnceAllTheSame()
    {
        var other = SubscriptionName.Plain("other");
        var (known, told) = (0, 0);
        var before = await _cluster.Main.DeclareAsync(other, new DeclaredTopic(Events));
        using var first = Registry.Watch(other, found => Volatile.Write(ref known, found?.Sources.Count ?? 0));
        await _cluster.UntilAsync("the watch follows", () => Volatile.Read(ref known) > 0, TimeSpan.FromSeconds(1));
        await _cluster.Main.DeclareAsync(Audit, new DeclaredTopic(Events));
        await _cluster.Start().Registry.RecordFlowAsync(Orders, Events, TestCluster.Cancellation);
        await _cluster.UntilAsync("the signal is processed", () => Volatile.Read(ref known) > before.Sources.Count, TimeSpan.FromSeconds(1));

        using var second = Registry.Watch(Audit, found => Volatile.Write(ref told, found?.Sources.Count ?? 0));

        await _cluster.UntilAsync("the flow is told", () => Volatile.Read(ref told) > before.Sources.Count, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task Watch_Deleted_IsToldNull()
    {
        var views = new List<SubscriptionView?>();
        await _cluster.Main.DeclareAsync(Audit, new DeclaredTopic(Orders));
        using var watch = Registry.Watch(Audit, view =>
        {
            lock (views)
            {
                views.Add(view);
            }
        });

        await _cluster.Start().Registry.DeleteAsync(Audit, TestCluster.Cancellation);

        await _cluster.UntilAsync("the deletion is told", () => Last(views, out var view) && view is null, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task Execution24_FirstSendToAQueue_MakesItsSubscriptionFromTheFirstEntry()
    {
        var queue = TopicName.Queue("x");
        await Registry.EnsureAsync(queue, TestCluster.Cancellation);
        await _cluster.Main.AppendAsync(new ShardId(queue, 0));

        var view = await _cluster.Start().DeclareAsync(SubscriptionName.Queue("x"));

        Assert.Equal(Position.Beginning, Source(view, queue).StartOf(0));
        var listed = await _cluster.Main.Topology.ReadTopicsAsync(["q:x"], TestCluster.Cancellation);
        Assert.Equal("q:x", listed["q:x"].Readers.Single().Subscription);
    }

    [Fact]
    public async Task Declare_KnownAsTemporary_IsRefused()
    {
        await Registry.DeclareAsync(new SubscriptionDeclaration(Audit) { TemporarySession = "s1" }, TestCluster.Cancellation);

        await Assert.ThrowsAsync<PubException>(() => _cluster.Main.DeclareAsync(Audit));
    }

    [Fact]
    public async Task Execution23_TemporaryOfADeadSession_LeavesNothing()
    {
        var name = SubscriptionName.Queue("bus-1");
        await Registry.DeclareAsync(new SubscriptionDeclaration(name) { Topics = [new(Orders)], TemporarySession = "s1" }, TestCluster.Cancellation);
        await _cluster.Main.AppendAsync(new ShardId(name.OwnQueue, 0));

        await _cluster.Start().Registry.RemoveTemporaryAsync(name, "another", TestCluster.Cancellation);
        Assert.NotNull(await Registry.FindAsync(name, TestCluster.Cancellation));
        await _cluster.Start().Registry.RemoveTemporaryAsync(name, "s1", TestCluster.Cancellation);

        Assert.Null(await Registry.FindAsync(name, TestCluster.Cancellation));
        Assert.Null(await _cluster.Main.Directory.RefreshAsync(name.OwnQueue, TestCluster.Cancellation));
        Assert.False(await _cluster.HasEntryAsync(new ShardId(name.OwnQueue, 0), 1));
        var listed = await _cluster.Main.Topology.ReadTopicsAsync(["t:orders"], TestCluster.Cancellation);
        Assert.Empty(listed["t:orders"].Readers);
    }

    [Fact]
    public async Task Delete_ThenDeclare_HasAnotherIncarnationAndNoOldCursor()
    {
        var first = await _cluster.Main.DeclareAsync(Audit, new DeclaredTopic(Orders));
        await _cluster.WriteFloorAsync(Audit, new ShardId(Orders, 0), Position.StartOf(new Offset(9)));

        Assert.True(await Registry.DeleteAsync(Audit, TestCluster.Cancellation));
        Assert.False(await Registry.DeleteAsync(Audit, TestCluster.Cancellation));
        var second = await _cluster.Main.DeclareAsync(Audit, new DeclaredTopic(Orders));

        Assert.NotEqual(first.Incarnation, second.Incarnation);
        var cursor = await _cluster.Store.GetAsync(DocumentKeys.Cursor(Audit, first.Incarnation, 0), TestCluster.Cancellation);
        Assert.False(cursor.Exists);
    }

    [Fact]
    public async Task Execution12_LateCursorOfADeletedIncarnation_IsNotTheNewOnes()
    {
        var first = await _cluster.Main.DeclareAsync(Audit, new DeclaredTopic(Orders));
        await Registry.DeleteAsync(Audit, TestCluster.Cancellation);
        var second = await _cluster.Main.DeclareAsync(Audit, new DeclaredTopic(Orders, StartAt.Beginning));

        // The paused holder of the first wakes and inserts floor 900.
        await _cluster.Store.InsertAsync(DocumentKeys.Cursor(Audit, first.Incarnation, 0), "{\"v\":1}"u8.ToArray());

        var key = DocumentKeys.Cursor(Audit, second.Incarnation, 0);
        Assert.False((await _cluster.Store.GetAsync(key, TestCluster.Cancellation)).Exists);
    }

    private static SubscriptionSource Source(SubscriptionView view, TopicName topic) => view.Sources.Single(source => source.Topic == topic);

    private static bool Last(List<SubscriptionView?> views, out SubscriptionView? last)
    {
        lock (views)
        {
            last = views.Count > 0 ? views[^1] : null;
            return views.Count > 0;
        }
    }
}

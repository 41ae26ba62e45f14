using Pub.Leases;
using Pub.Storage;
using Pub.Subscriptions;
using Pub.Tests.Topology;
using Pub.Topics;
using Pub.Topology;

namespace Pub.Tests.Control;

public sealed class ControllerTests : IAsyncLifetime
{
    private static readonly TopicName Orders = TopicName.Topic("orders");
    private static readonly TopicName Errors = TopicName.Queue("billing_error");
    private static readonly ShardId Shard = new(Orders, 2);
    private static readonly SubscriptionName Billing = SubscriptionName.Queue("billing");

    private readonly TestCluster _cluster = new();

    private Controller Controller => _cluster.Main.Controller;

    private static CancellationToken Cancellation => TestCluster.Cancellation;

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task Create_TopicAndQueue_AreDescribedAndListed()
    {
        await Controller.CreateAsync(Orders, new TopicSettings { Shards = 4 }, Cancellation);
        await Controller.CreateAsync(Billing.OwnQueue, cancellationToken: Cancellation);

        var described = await Controller.DescribeAsync(Orders, Cancellation);

        Assert.Equal((4, 4), (described.Settings.Shards, described.Shards.Count));
        Assert.Equal([Orders], (await Controller.ListTopicsAsync(cancellationToken: Cancellation)).Items);
        Assert.Equal([Billing.OwnQueue], (await Controller.ListQueuesAsync(cancellationToken: Cancellation)).Items);
        Assert.Equal([Billing], (await Controller.ListSubscriptionsAsync(cancellationToken: Cancellation)).Items);
    }

    [Fact]
    public async Task List_ManyTopics_ComesInPagesInOrder()
    {
        for (var i = 0; i < 25; i++)
        {
            await Controller.CreateAsync(TopicName.Topic($"topic-{i:00}"), new TopicSettings { Shards = 1 }, Cancellation);
        }

        var names = new List<TopicName>();
        string? next = null;
        do
        {
            var page = await Controller.ListTopicsAsync(next, limit: 10, Cancellation);
            Assert.InRange(page.Items.Count, 1, 10);
            names.AddRange(page.Items);
            next = page.Next;
        }
        while (next is not null);

        Assert.Equal(Enumerable.Range(0, 25).Select(i => TopicName.Topic($"topic-{i:00}")), names);
    }

    [Fact]
    public async Task Missing_AnyCommand_NamesWhatIsMissing()
    {
        var e = await Assert.ThrowsAsync<NotFoundException>(() => Controller.DescribeAsync(Orders, Cancellation));
        Assert.Contains("t:orders", e.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<NotFoundException>(() => Controller.DescribeAsync(Billing, Cancellation));
        await Assert.ThrowsAsync<NotFoundException>(() => Controller.DeleteAsync(Orders, Cancellation));
        await Assert.ThrowsAsync<NotFoundException>(() => Controller.DeleteAsync(Billing, Cancellation));
        await Assert.ThrowsAsync<NotFoundException>(() => Controller.TrimAsync(Orders, Cancellation));
        await Assert.ThrowsAsync<NotFoundException>(() => Controller.PurgeAsync(Billing, Cancellation));
        await Assert.ThrowsAsync<NotFoundException>(() => Controller.RequeueAsync(Billing, cancellationToken: Cancellation));
        await Assert.ThrowsAsync<NotFoundException>(() => Controller.PeekAsync(Shard, Position.Beginning, cancellationToken: Cancellation));
        await Assert.ThrowsAsync<NotFoundException>(() => Controller.AddShardsAsync(Orders, 32, Cancellation));
    }

    [Fact]
    public void Arguments_Wrong_AreRefusedBeforeTheFirstAwait()
    {
        Assert.Throws<ArgumentException>(() => { _ = Controller.CreateAsync(Orders, new TopicSettings { Shards = 3 }, Cancellation); });
        Assert.Throws<ArgumentException>(() => { _ = Controller.AddShardsAsync(Orders, 3, Cancellation); });
        Assert.Throws<ArgumentException>(() => { _ = Controller.ChangeRetentionAsync(Orders, Retention.AfterTime, null, Cancellation); });
        Assert.Throws<InvalidOperationException>(() => { _ = Controller.DescribeAsync(default(TopicName), Cancellation); });
    }

    [Fact]
    public async Task Describe_Subscription_HasFloorsLagAgeAndHolders()
    {
        await _cluster.Main.DeclareAsync(Billing, new DeclaredTopic(Orders));
        await AppendAsync(Shard, 5);
        await _cluster.WriteFloorAsync(Billing, Shard, Position.StartOf(new Offset(3)));
        await AssignAsync(lease: 2, "session-1", token: 7);
        _cluster.Time.Advance(TimeSpan.FromMinutes(3));

        var described = await Controller.DescribeAsync(Billing, Cancellation);

        var shard = described.Shards.Single(line => line.Shard == Shard);
        Assert.Equal((new Offset(3), 3L, TimeSpan.FromMinutes(3)), (shard.Floor.Offset, shard.LagEntries, shard.OldestUnsettledAge!.Value));
        Assert.Equal((3L, TimeSpan.FromMinutes(3)), (described.LagEntries, described.OldestUnsettledAge!.Value));
        Assert.Equal(new LeaseDescription(2, "session-1", 7), described.Leases[2]);
        Assert.Null(described.Leases[3].Session);
    }

    [Fact]
    public async Task Peek_ShardAndSubscription_ShowWhatLiesThere()
    {
        await _cluster.Main.DeclareAsync(Billing, new DeclaredTopic(Orders));
        await AppendAsync(Shard, 5);
        await _cluster.WriteFloorAsync(Billing, Shard, Position.StartOf(new Offset(4)));

        var all = await Controller.PeekAsync(Shard, Position.StartOf(new Offset(2)), limit: 3, Cancellation);
        var unsettled = await Controller.PeekAsync(Billing, cancellationToken: Cancellation);

        Assert.Equal([2L, 3, 4], all.Select(message => message.Place.Position.Offset.Value));
        Assert.Equal([4L, 5], unsettled.Select(message => message.Place.Position.Offset.Value));
    }

    [Fact]
    public async Task Requeue_DeadLetters_GoBackWithTheirIdsToTheSubscriptionThatSetThemAside()
    {
        await PrepareDeadLettersAsync("a", "b", "c");

        var result = await Controller.RequeueAsync(SubscriptionName.Queue(Errors.Name), new RequeueRequest { Ids = ["a", "c"] }, Cancellation);

        Assert.Equal(new RequeueResult(2, 0), result);
        var back = await Controller.PeekAsync(Billing, cancellationToken: Cancellation);
        Assert.Equal(["a", "c"], back.Select(message => message.Message.Id).Order());
        Assert.All(back, message => Assert.Equal(["mine"], message.Message.Headers.Keys));
        Assert.All(back, message => Assert.Equal(Billing.OwnQueue, message.Place.Shard.Topic));
        Assert.Equal(["b"], (await Controller.PeekAsync(SubscriptionName.Queue(Errors.Name), cancellationToken: Cancellation)).Select(m => m.Message.Id));
    }

    [Fact]
    public async Task Requeue_PredicateLimitAndTarget_AreKept()
    {
        await PrepareDeadLettersAsync("a", "b", "c", "d");
        var reader = SubscriptionName.Plain("reader");
        await _cluster.Main.DeclareAsync(reader, new DeclaredTopic(Orders));
        var request = new RequeueRequest { Where = message => message.Message.Id != "a", MaxMessages = 2, Target = Orders };

        var result = await Controller.RequeueAsync(SubscriptionName.Queue(Errors.Name), request, Cancellation);

        Assert.Equal(2, result.Requeued);
        Assert.Equal(["b", "c"], (await Controller.PeekAsync(reader, cancellationToken: Cancellation)).Select(message => message.Message.Id));
        Assert.Equal(2, (await Controller.PeekAsync(SubscriptionName.Queue(Errors.Name), cancellationToken: Cancellation)).Count);
    }

    [Fact]
    public async Task Requeue_NoOrigin_IsLeftAndCounted()
    {
        await _cluster.Main.Registry.EnsureAsync(Errors, Cancellation);
        await _cluster.Main.AppendAsync(new ShardId(Errors, 0));

        var result = await Controller.RequeueAsync(SubscriptionName.Queue(Errors.Name), cancellationToken: Cancellation);

        Assert.Equal(new RequeueResult(0, 1), result);
    }

    [Fact]
    public Task Requeue_DiesAnywhere_LosesNothing() => TestCluster.ForEveryCrashAsync(
        cluster => PrepareDeadLettersAsync(cluster, "a", "b"),
        work: process => process.Controller.RequeueAsync(SubscriptionName.Queue(Errors.Name), cancellationToken: Cancellation),
        repeatAndCheck: async cluster =>
        {
            var controller = cluster.Start().Controller;
            await controller.RequeueAsync(SubscriptionName.Queue(Errors.Name), cancellationToken: Cancellation);
            Assert.Empty(await controller.PeekAsync(SubscriptionName.Queue(Errors.Name), cancellationToken: Cancellation));
            var back = await controller.PeekAsync(Billing, cancellationToken: Cancellation);
            Assert.Equal(["a", "b"], back.Select(message => message.Message.Id).Distinct().Order());
        });

    [Fact]
    public async Task Purge_Subscription_HasNoLag()
    {
        await _cluster.Main.DeclareAsync(Billing, new DeclaredTopic(Orders));
        await AppendAsync(Shard, 5);
        await AppendAsync(new ShardId(Billing.OwnQueue, 1), 2);

        await Controller.PurgeAsync(Billing, Cancellation);

        Assert.Equal(0, (await Controller.DescribeAsync(Billing, Cancellation)).LagEntries);
        await AppendAsync(Shard, 1);
        Assert.Single(await Controller.PeekAsync(Billing, cancellationToken: Cancellation));
    }

    [Fact]
    public async Task Rewind_BeginningPositionTimeAndEnd_SetsFloorsAndRaisesRewindsNotTheToken()
    {
        await _cluster.Main.DeclareAsync(Billing, new DeclaredTopic(Orders));
        for (var i = 0; i < 10; i++)
        {
            await AppendAsync(Shard, 1);
            _cluster.Time.Advance(TimeSpan.FromMinutes(1));
        }

        await _cluster.WriteFloorAsync(Billing, Shard, Position.StartOf(new Offset(11)));
        await _cluster.Main.Marks.RaiseHeadsAsync(Orders, 0, [default, default, new Offset(3)], Cancellation);

        Assert.Equal(3, await RewindAsync(StartAt.Beginning)); // the head
        Assert.Equal(6, await RewindAsync(StartAt.Time(_cluster.Time.GetUtcNow() - TimeSpan.FromMinutes(5))));
        Assert.Equal(8, await RewindAsync(StartAt.At([.. Enumerable.Repeat(Position.StartOf(new Offset(8)), 16)])));
        Assert.Equal(11, await RewindAsync(StartAt.Tail));
        var view = await _cluster.Main.Registry.FindAsync(Billing, Cancellation);
        var key = DocumentKeys.Cursor(Billing, view!.Incarnation, 2);
        var cursor = CursorDocument.Read(key, await _cluster.Store.GetAsync(key, Cancellation));
        Assert.Equal((4L, 0L), (cursor.Rewinds, cursor.Token));
        Assert.Equal(4, view.Edits);
    }

    [Fact]
    public async Task Rewind_PositionsWithoutTopic_IsRefused() =>
        await Assert.ThrowsAsync<ArgumentException>(() => Controller.RewindAsync(Billing, StartAt.At([Position.Beginning]), cancellationToken: Cancellation));

    [Fact]
    public async Task Rewind_Temporary_IsRefused()
    {
        await _cluster.Main.Registry.DeclareAsync(new SubscriptionDeclaration(Billing) { TemporarySession = "s1" }, Cancellation);

        await Assert.ThrowsAsync<PubException>(() => Controller.PurgeAsync(Billing, Cancellation));
    }

    [Fact]
    public async Task ChangeRetention_Topic_IsInTheDescription()
    {
        await Controller.CreateAsync(Orders, cancellationToken: Cancellation);

        await Controller.ChangeRetentionAsync(Orders, Retention.AfterTime, TimeSpan.FromDays(3), Cancellation);

        var settings = (await Controller.DescribeAsync(Orders, Cancellation)).Settings;
        Assert.Equal((Retention.AfterTime, TimeSpan.FromDays(3)), (settings.Retention, settings.RetentionTime!.Value));
    }

    [Fact]
    public async Task Delete_Topic_ThenCreate_UsesNoOffsetAgainAndIsReadByItsSubscriptions()
    {
        await _cluster.Main.DeclareAsync(Billing, new DeclaredTopic(Orders));
        await AppendAsync(Shard, 3);

        await Controller.DeleteAsync(Orders, Cancellation);
        Assert.False(await _cluster.HasEntryAsync(Shard, 1));
        await Assert.ThrowsAsync<NotFoundException>(() => Controller.DescribeAsync(Orders, Cancellation));
        Assert.Empty((await Controller.ListTopicsAsync(cancellationToken: Cancellation)).Items);
        await Controller.CreateAsync(Orders, cancellationToken: Cancellation);
        var again = await _cluster.Start().AppendAsync(Shard);

        Assert.True(again.Value > 1L << 40);
        Assert.Single(await Controller.PeekAsync(Billing, cancellationToken: Cancellation));
    }

    [Fact]
    public Task Delete_TopicDiesAnywhere_IsCompletedByTheNext() => TestCluster.ForEveryCrashAsync(
        async cluster =>
        {
            for (var i = 0; i < 3; i++)
            {
                await cluster.Main.AppendAsync(Shard);
            }
        },
        work: process => process.Controller.DeleteAsync(Orders, Cancellation),
        repeatAndCheck: async cluster =>
        {
            await cluster.Start().Controller.DeleteAsync(Orders, Cancellation);
            var state = await cluster.StateAsync(Shard);
            Assert.True(state.IsClosed);
            Assert.Equal(4, state.Removed.Value);
            Assert.False(await cluster.HasEntryAsync(Shard, 1) || await cluster.HasEntryAsync(Shard, 3));
            Assert.Empty((await cluster.Main.Controller.ListTopicsAsync(cancellationToken: Cancellation)).Items);
        });

    [Fact]
    public async Task RaiseTails_AfterARestore_NoOffsetThatWasUsedComesAgain()
    {
        await _cluster.Main.DeclareAsync(Billing, new DeclaredTopic(Orders));
        await AppendAsync(Shard, 9);
        await _cluster.WriteFloorAsync(Billing, Shard, Position.StartOf(new Offset(30)));
        await SetTailAsync(4); // the topic's document is older than the entries, and than the cursor

        await Controller.RaiseTailsAsync(Cancellation);
        var next = await _cluster.Start().AppendAsync(Shard);

        Assert.True(next.Value > 30);
        var state = await _cluster.StateAsync(Shard);
        Assert.Equal(next, state.SkipJumps(new Offset(30)));
    }

    [Fact]
    public async Task Health_SubscriptionNobodyReads_IsNamedWithItsAge()
    {
        await _cluster.Main.DeclareAsync(Billing, new DeclaredTopic(Orders));
        Assert.Empty(await Controller.FindHealthFactsAsync(cancellationToken: Cancellation));
        await AppendAsync(Shard, 1);
        _cluster.Time.Advance(TimeSpan.FromHours(2));

        var unread = Assert.Single(await Controller.FindHealthFactsAsync(cancellationToken: Cancellation));
        await AssignAsync(lease: 2, "session-1", token: 1);
        var old = Assert.Single(await Controller.FindHealthFactsAsync(cancellationToken: Cancellation));

        Assert.Equal((HealthConcern.NobodyReads, "q:billing", TimeSpan.FromHours(2)), (unread.Concern, unread.Subject, unread.Age!.Value));
        Assert.Equal(HealthConcern.OldMessages, old.Concern);
    }

    private async Task<long> RewindAsync(StartAt to) =>
        (await Controller.RewindAsync(Billing, to, Orders, Cancellation))[Shard].Offset.Value;

    private async Task AppendAsync(ShardId shard, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await _cluster.Main.AppendAsync(shard);
        }
    }

    private Task PrepareDeadLettersAsync(params string[] ids) => PrepareDeadLettersAsync(_cluster, ids);

    private static async Task PrepareDeadLettersAsync(TestCluster cluster, params string[] ids)
    {
        await cluster.Main.DeclareAsync(Billing);
        await cluster.Main.Registry.EnsureAsync(Errors, Cancellation);
        foreach (var id in ids)
        {
            var headers = new Dictionary<string, string>
            {
                [PubHeaders.OriginSubscription] = Billing.ToString(),
                [PubHeaders.Deliveries] = "10",
                [PubHeaders.Reason] = "too-many-deliveries",
                ["mine"] = "kept",
            };
            await cluster.Main.AppendAsync(new ShardId(Errors, 3), headers: headers, id: id);
        }
    }

    private async Task AssignAsync(int lease, string session, long token)
    {
        var view = await _cluster.Main.Registry.FindAsync(Billing, Cancellation);
        var assignment = AssignmentDocument.New(new LeaseScope(Billing, view!.Incarnation, 16));
        LeaseRecord[] leases = [.. assignment.Leases];
        leases[lease] = new LeaseRecord { Session = session, Token = token, State = LeaseState.Held };
        await _cluster.Store.InsertAsync(
            DocumentKeys.Assignment(Billing, view.Incarnation), LeaseFormats.Assignment.Write(assignment with { Leases = leases }));
    }

    private Task SetTailAsync(long tail) => new CasLoop(_cluster.Store, _cluster.Main.Runtime).UpdateAsync(
        DocumentKeys.Topic(Orders, 0),
        TopicDocument.Format,
        document =>
        {
            long[] tails = [.. document!.Tails];
            tails[Shard.Number] = tail;
            return document with { Tails = tails };
        },
        WriteOptions.Synced,
        cancellationToken: Cancellation);
}

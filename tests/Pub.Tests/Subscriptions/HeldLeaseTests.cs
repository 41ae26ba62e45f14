using Pub.Subscriptions;
using Pub.Testing;

namespace Pub.Tests.Subscriptions;

public sealed class HeldLeaseTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Start_EntriesThere_TokenIsRaisedBeforeTheFirstDelivery()
    {
        var fixture = new ReaderFixture();
        await fixture.WriteCursorAsync(new CursorDocument { Token = 4, Session = "old" });
        await fixture.AppendAsync(null, ReaderFixture.One("1"));
        var lease = fixture.Lease(token: 5, session: "a");
        lease.Start();

        var delivery = await fixture.TakeAsync();

        Assert.Equal((5, "a"), (fixture.Cursor().Token, fixture.Cursor().Session));
        Assert.True(fixture.Cursor().Find(ReaderFixture.Shard)!.Ahead > delivery.Place.Position.Offset, "Nothing is delivered at or above the stored mark.");
        await StopAsync(fixture, lease, delivery);
    }

    [Fact]
    public async Task Observe_HeadPassesTheFloorOfAnIdleShard_IsWritten()
    {
        var fixture = new ReaderFixture();
        await fixture.AppendAsync(null, ReaderFixture.One("1"));
        var lease = fixture.Lease();
        lease.Start();
        Assert.True((await fixture.TakeAsync()).Ack());
        await fixture.UntilAsync("the floor is written", () => fixture.Floor().Offset.Value == 2);

        fixture.Trim(lease, 9);

        await fixture.UntilAsync("what the head passed is written", () => fixture.Floor().Offset.Value == 9);
        await fixture.EndAsync(lease.TryGiveUpAsync(Patience, evenIfBusy: true));
    }

    [Fact]
    public async Task TryGiveUpAsync_HandlerRuns_WaitsForItAndWritesTheCursor()
    {
        var fixture = new ReaderFixture();
        await fixture.AppendAsync(null, ReaderFixture.One("1"), ReaderFixture.One("2"));
        var lease = fixture.Lease();
        lease.Start();
        var delivery = await fixture.TakeAsync();

        var givenUp = lease.TryGiveUpAsync(Patience, evenIfBusy: false);
        Assert.False(givenUp.IsCompleted);
        Assert.True(delivery.Ack());

        Assert.True(await fixture.EndAsync(givenUp));
        Assert.Equal(2, fixture.Floor().Offset.Value);
        Assert.Equal(0, fixture.Queue.ReadyCount);
        Assert.Equal((0, 0L), (fixture.Context.Budget.Messages, fixture.Context.Budget.Bytes));
        Assert.Empty(fixture.Lost);
    }

    [Fact]
    public async Task TryGiveUpAsync_HandlerIsTooSlow_AnswersFalseAndReadsOn()
    {
        // executions.md 28
        var fixture = new ReaderFixture();
        await fixture.AppendAsync(null, ReaderFixture.One("1", "k"), ReaderFixture.One("2", "k"));
        var lease = fixture.Lease();
        lease.Start();
        var slow = await fixture.TakeAsync();

        Assert.False(await fixture.EndAsync(lease.TryGiveUpAsync(Patience, evenIfBusy: false), 500));
        await fixture.AppendAsync(lease, ReaderFixture.One("3"));

        var next = await fixture.TakeAsync();
        Assert.Equal("3", next.Message.Id);
        Assert.False(slow.Cancelled.IsCancellationRequested);
        Assert.True(slow.Ack());
        var second = await fixture.TakeAsync();
        Assert.Equal("2", second.Message.Id);
        await StopAsync(fixture, lease, next, second);
        Assert.Equal(4, fixture.Floor().Offset.Value);
    }

    [Fact]
    public async Task TryGiveUpAsync_StopsWithASlowHandler_CancelsItWritesTheRestAndSaysNotToRelease()
    {
        var fixture = new ReaderFixture();
        await fixture.AppendAsync(null, ReaderFixture.One("1"), ReaderFixture.One("2"));
        var lease = fixture.Lease();
        lease.Start();
        var done = await fixture.TakeAsync();
        var slow = await fixture.TakeAsync();
        done.Ack();

        Assert.False(await fixture.EndAsync(lease.TryGiveUpAsync(TimeSpan.FromSeconds(1), evenIfBusy: true), 100));

        Assert.True(slow.Cancelled.IsCancellationRequested);
        Assert.False(slow.Ack());
        Assert.Equal(2, fixture.Floor().Offset.Value);
    }

    [Fact]
    public async Task Lose_HandlerRuns_CancelsItsTokenAndDiscardsWhatItSettles()
    {
        var fixture = new ReaderFixture();
        await fixture.AppendAsync(null, ReaderFixture.One("1"), ReaderFixture.One("2"));
        var lease = fixture.Lease();
        lease.Start();
        var delivery = await fixture.TakeAsync();
        using var registration = delivery.Cancelled.Register(() => throw new InvalidOperationException("A handler's own callback."));

        lease.Lose();

        Assert.True(delivery.Cancelled.IsCancellationRequested);
        Assert.False(delivery.Ack());
        await fixture.PassAsync(100);
        Assert.Equal(Position.Beginning, fixture.Floor());
        Assert.Equal(0, fixture.Queue.ReadyCount);
        Assert.Equal((0, 0L), (fixture.Context.Budget.Messages, fixture.Context.Budget.Bytes));
    }

    [Fact]
    public async Task Edit_HandlersRun_TheirAcksHaveNoEffectAndReadingBeginsAnew()
    {
        // executions.md 14
        var fixture = new ReaderFixture();
        await fixture.AppendAsync(null, ReaderFixture.One("1"), ReaderFixture.One("2"));
        var lease = fixture.Lease();
        lease.Start();
        (await fixture.TakeAsync()).Ack();
        var old = await fixture.TakeAsync();
        await fixture.UntilAsync("the floor is written", () => fixture.Floor().Offset.Value == 2);

        await new CursorEdits(fixture.Store, fixture.Runtime).EditAsync(
            ReaderFixture.Key, cursor => cursor.With(ShardCursor.At(ReaderFixture.Shard, Position.Beginning)), ReaderFixture.Cancellation);
        await fixture.AppendAsync(lease, ReaderFixture.One("3"));
        (await fixture.TakeAsync()).Ack();
        await fixture.UntilAsync("the old handler is cancelled", () => old.Cancelled.IsCancellationRequested);
        Assert.False(old.Ack());

        var again = new List<Delivery> { await fixture.TakeAsync(), await fixture.TakeAsync(), await fixture.TakeAsync() };
        Assert.Equal(["1", "2", "3"], again.Select(delivery => delivery.Message.Id));
        Assert.Equal(1, fixture.Floor().Offset.Value);
        await StopAsync(fixture, lease, [.. again]);
        Assert.Equal((4, 1), (fixture.Floor().Offset.Value, fixture.Cursor().Rewinds));
        Assert.Empty(fixture.Lost);
    }

    [Fact]
    public async Task Nack_UntilTheLimit_ComesBackWithItsCountAndIsThenDeadLettered()
    {
        var fixture = new ReaderFixture(new ConsumerOptions { MaxDeliveries = 3 });
        fixture.SetAside.Failures = 1;
        await fixture.AppendAsync(null, ReaderFixture.One("1", "k"), ReaderFixture.One("2", "k"));
        var lease = fixture.Lease();
        lease.Start();
        for (var count = 1; count <= 3; count++)
        {
            var delivery = await fixture.TakeAsync();
            Assert.Equal(("1", count), (delivery.Message.Id, delivery.DeliveryCount));
            Assert.True(delivery.Nack());
        }

        var next = await fixture.TakeAsync();

        Assert.Equal("2", next.Message.Id);
        Assert.Equal(("1", 3, DeadLetterReasons.TooManyDeliveries), fixture.SetAside.Dead.Single());
        await StopAsync(fixture, lease, next);
        Assert.Equal(3, fixture.Floor().Offset.Value);
    }

    [Fact]
    public async Task Nack_ThenTakenByAnother_TheCountGoesOn()
    {
        var fixture = new ReaderFixture();
        await fixture.AppendAsync(null, ReaderFixture.One("1"));
        var lease = fixture.Lease();
        lease.Start();
        (await fixture.TakeAsync()).Nack();
        Assert.True(await fixture.EndAsync(lease.TryGiveUpAsync(Patience, evenIfBusy: false)));
        var second = fixture.Lease(token: 2, session: "b");
        second.Start();

        var delivery = await fixture.TakeAsync();

        Assert.Equal(2, delivery.DeliveryCount);
        await StopAsync(fixture, second, delivery);
    }

    [Fact]
    public async Task NackAsync_WithDelay_IsSetAsideAndSettledHere()
    {
        var fixture = new ReaderFixture();
        await fixture.AppendAsync(null, ReaderFixture.One("1"));
        var lease = fixture.Lease();
        lease.Start();

        Assert.True(await (await fixture.TakeAsync()).NackAsync(TimeSpan.FromMinutes(1)));

        Assert.Equal(("1", TimeSpan.FromMinutes(1)), fixture.SetAside.Delayed.Single());
        await StopAsync(fixture, lease);
        Assert.Equal(2, fixture.Floor().Offset.Value);
    }

    [Fact]
    public async Task NackAsync_AfterTheLeaseIsLost_WritesNothingElsewhere()
    {
        var fixture = new ReaderFixture();
        await fixture.AppendAsync(null, ReaderFixture.One("1"), ReaderFixture.One("2"));
        var lease = fixture.Lease();
        lease.Start();
        var first = await fixture.TakeAsync();
        var second = await fixture.TakeAsync();
        lease.Lose();

        Assert.False(await first.NackAsync(TimeSpan.FromMinutes(1)));
        Assert.False(await second.DeadLetterAsync("because"));
        Assert.Empty(fixture.SetAside.Delayed);
        Assert.Empty(fixture.SetAside.Dead);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Start_ExpiredMessage_IsSettledOrDeadLettered(bool deadLetter)
    {
        var fixture = new ReaderFixture(new ConsumerOptions { DeadLetterExpired = deadLetter });
        await fixture.AppendAsync(
            null,
            Entries.Encode(Entries.Message("old", timeToLive: TimeSpan.FromSeconds(1), sent: fixture.Clock.GetUtcNow().AddMinutes(-1)), Entries.Message("new")));
        var lease = fixture.Lease();
        lease.Start();

        var delivery = await fixture.TakeAsync();

        Assert.Equal("new", delivery.Message.Id);
        await StopAsync(fixture, lease, delivery);
        Assert.Equal(2, fixture.Floor().Offset.Value);
        Assert.Equal(deadLetter ? [("old", 0, DeadLetterReasons.Expired)] : [], fixture.SetAside.Dead);
    }

    [Fact]
    public async Task Start_UndecodableEntry_IsSetAsideWholeAndReadingGoesOn()
    {
        var fixture = new ReaderFixture();
        await fixture.AppendAsync(null, "{\"v\":1,"u8.ToArray(), ReaderFixture.One("2"));
        var lease = fixture.Lease();
        lease.Start();

        var delivery = await fixture.TakeAsync();

        Assert.Equal("2", delivery.Message.Id);
        await fixture.UntilAsync("it is set aside", () => !fixture.SetAside.Dead.IsEmpty);
        await StopAsync(fixture, lease, delivery);
        Assert.Equal(("1", 0, DeadLetterReasons.Undecodable), fixture.SetAside.Dead.Single());
        Assert.Equal(3, fixture.Floor().Offset.Value);
    }

    [Fact]
    public async Task Start_NewerEntryFormat_StandsStillWithAFaultAndKeepsWhatWasSettled()
    {
        var fixture = new ReaderFixture();
        await fixture.AppendAsync(null, ReaderFixture.One("1"));
        var lease = fixture.Lease();
        lease.Start();
        var delivery = await fixture.TakeAsync();
        Assert.True(delivery.Ack());
        await fixture.AppendAsync(lease, "{\"v\":99,\"x\":1}"u8.ToArray());

        await fixture.UntilAsync("the lease stands still", () => lease.Fault is FormatVersionException);

        Assert.Equal(2, fixture.Floor().Offset.Value);
        Assert.Empty(fixture.SetAside.Dead);
        Assert.True(await fixture.EndAsync(lease.TryGiveUpAsync(Patience, evenIfBusy: false)));
    }

    [Fact]
    public async Task Start_OpenHole_IsClosedAfterTheGapTimeout()
    {
        var fixture = new ReaderFixture();
        await fixture.AppendAsync(null, null, ReaderFixture.One("2"));
        var lease = fixture.Lease();
        lease.Start();
        var delivery = await fixture.TakeAsync();
        delivery.Ack();

        await fixture.UntilAsync("the floor passes the hole", () => fixture.Floor().Offset.Value == 3, 50);

        Assert.Equal(1, fixture.Context.Counters.Tombstones);
        await StopAsync(fixture, lease);
    }

    [Fact]
    public async Task Start_TakenFromTheDead_CountIsStoredBeforeEachDeliveryAndOneGoesAtATime()
    {
        // executions.md 31: the dead holder's mark says that what lies below 3 may have been in flight.
        var fixture = new ReaderFixture(new ConsumerOptions { MaxDeliveries = 2 });
        await fixture.WriteCursorAsync(CursorDocument.Empty.With(
            new ShardCursor(ReaderFixture.Shard, Position.Beginning, [], [new DeliveredCount(Position.Beginning, 2)], new Offset(4))));
        await fixture.AppendAsync(null, ReaderFixture.One("1"), ReaderFixture.One("2"), ReaderFixture.One("3"));
        var lease = fixture.Lease(takenFromDead: true);
        lease.Start();

        var second = await fixture.TakeAsync();
        Assert.Equal(("1", 2, DeadLetterReasons.TooManyDeliveries), fixture.SetAside.Dead.Single());
        Assert.Equal("2", second.Message.Id);
        Assert.Contains(new DeliveredCount(second.Place.Position, 1), fixture.Cursor().Find(ReaderFixture.Shard)!.Counts);
        await fixture.PassAsync(100);
        Assert.Equal(0, fixture.Queue.ReadyCount);
        second.Ack();

        var third = await fixture.TakeAsync();
        Assert.Contains(new DeliveredCount(third.Place.Position, 1), fixture.Cursor().Find(ReaderFixture.Shard)!.Counts);
        await fixture.AppendAsync(lease, ReaderFixture.One("4"), ReaderFixture.One("5"));
        third.Ack();

        var later = new[] { await fixture.TakeAsync(), await fixture.TakeAsync() };
        Assert.Equal(["4", "5"], later.Select(delivery => delivery.Message.Id));
        await StopAsync(fixture, lease, later);
        Assert.Empty(fixture.Cursor().Find(ReaderFixture.Shard)!.Counts);
    }

    [Fact]
    public async Task Start_SuspectsHaveExpired_TheyAreSetAsideAndReadingGoesOn()
    {
        var fixture = new ReaderFixture(new ConsumerOptions { DeadLetterExpired = true });
        await fixture.WriteCursorAsync(CursorDocument.Empty.With(new ShardCursor(ReaderFixture.Shard, Position.Beginning, [], [], new Offset(2))));
        await fixture.AppendAsync(
            null, Entries.Encode(Entries.Message("old", timeToLive: TimeSpan.FromSeconds(1), sent: fixture.Clock.GetUtcNow().AddMinutes(-1))), ReaderFixture.One("2"));
        var lease = fixture.Lease(takenFromDead: true);
        lease.Start();

        var delivery = await fixture.TakeAsync();

        Assert.Equal("2", delivery.Message.Id);
        Assert.Equal(("old", 0, DeadLetterReasons.Expired), fixture.SetAside.Dead.Single());
        await StopAsync(fixture, lease, delivery);
    }

    [Fact]
    public async Task Start_SuspectsHaveExpiredAndNothingFollows_TheFloorIsWritten()
    {
        var fixture = new ReaderFixture();
        await fixture.WriteCursorAsync(CursorDocument.Empty.With(new ShardCursor(ReaderFixture.Shard, Position.Beginning, [], [], new Offset(2))));
        await fixture.AppendAsync(
            null, Entries.Encode(Entries.Message("old", timeToLive: TimeSpan.FromSeconds(1), sent: fixture.Clock.GetUtcNow().AddMinutes(-1))));
        var lease = fixture.Lease(takenFromDead: true);
        lease.Start();

        await fixture.UntilAsync("the floor is written", () => fixture.Floor().Offset.Value == 2);

        await fixture.EndAsync(lease.TryGiveUpAsync(Patience, evenIfBusy: true));
    }

    [Fact]
    public async Task Start_SuspectIsUndecodable_IsSetAsideAndReadingGoesOn()
    {
        var fixture = new ReaderFixture();
        await fixture.WriteCursorAsync(CursorDocument.Empty.With(new ShardCursor(ReaderFixture.Shard, Position.Beginning, [], [], new Offset(2))));
        await fixture.AppendAsync(null, "{\"v\":1,"u8.ToArray(), ReaderFixture.One("2"));
        var lease = fixture.Lease(takenFromDead: true);
        lease.Start();

        var delivery = await fixture.TakeAsync();

        Assert.Equal("2", delivery.Message.Id);
        await StopAsync(fixture, lease, delivery);
        Assert.Equal(3, fixture.Floor().Offset.Value);
    }

    [Fact]
    public async Task Edit_WhileASuspectsCountIsWritten_EndsAndBeginsAnew()
    {
        // The flush was never answered once the run had ended, and the lease stood for ever.
        var fixture = new ReaderFixture();
        await fixture.WriteCursorAsync(CursorDocument.Empty.With(new ShardCursor(ReaderFixture.Shard, Position.Beginning, [], [], new Offset(3))));
        await fixture.AppendAsync(null, ReaderFixture.One("1"), ReaderFixture.One("2"));
        var edits = new CursorEdits(fixture.Store.Inner, fixture.Runtime);
        var writes = 0;
        fixture.Store.Add(new StoreRule
        {
            Operation = StoreOperation.Replace,
            Times = 100,
            Before = async () =>
            {
                // The second write, after that of the token, is the one with the count.
                if (++writes == 2)
                {
                    await edits.EditAsync(ReaderFixture.Key, cursor => cursor.With(ShardCursor.At(ReaderFixture.Shard, Position.Beginning)), ReaderFixture.Cancellation);
                }
            },
        });
        var lease = fixture.Lease(takenFromDead: true);
        lease.Start();

        var first = await fixture.TakeAsync();
        var second = await fixture.TakeAsync();

        Assert.Equal(["1", "2"], [first.Message.Id, second.Message.Id]);
        await StopAsync(fixture, lease, first, second);
    }

    [Fact]
    public async Task Start_PrefetchOf1AndSlowHandler_NeverHoldsMoreThanOneFetchAndGoesOn()
    {
        var fixture = new ReaderFixture(new ConsumerOptions { Prefetch = 1 });
        await fixture.AppendAsync(null, [.. Enumerable.Range(1, 20).Select(i => ReaderFixture.One($"{i}"))]);
        var lease = fixture.Lease();
        lease.Start();
        for (var i = 1; i <= 20; i++)
        {
            var delivery = await fixture.TakeAsync();
            Assert.Equal($"{i}", delivery.Message.Id);
            Assert.InRange(fixture.Context.Budget.Messages, 1, 2);
            delivery.Ack();
        }

        await StopAsync(fixture, lease);
        Assert.Equal(21, fixture.Floor().Offset.Value);
        Assert.Equal(0, fixture.Context.Budget.Messages);
    }

    private static async Task StopAsync(ReaderFixture fixture, HeldLease lease, params Delivery[] open)
    {
        foreach (var delivery in open)
        {
            Assert.True(delivery.Ack());
        }

        Assert.True(await fixture.EndAsync(lease.TryGiveUpAsync(Patience, evenIfBusy: false)));
    }
}

using Pub.Storage;
using Pub.Testing;
using Pub.Topics;
using static Pub.Tests.Publishing.PublishingFixture;

namespace Pub.Tests.Publishing;

/// <summary>The publisher's side of the executions that broke earlier designs (their numbers), each with the rule and without it.</summary>
public class PublishingExecutionTests
{
    private static readonly ShardId Shard = new(Orders, ShardHash.ShardOf("k", 16));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Execution1_InsertAfterTombstoneAndTrim_IsNotConfirmedBelowTheHead(bool isKept)
    {
        var broken = isKept ? BrokenRules.None : BrokenRules.NoLookBeforeConfirming;
        await using var fixture = new PublishingFixture(broken: broken);
        await fixture.PublishAsync(Orders, Message("first", "k"));
        var gate = new TaskCompletionSource();
        var cutOff = fixture.Store.Add(new StoreRule { Operation = StoreOperation.Insert, Where = IsEntry, Before = () => gate.Task });

        var call = fixture.Producer.PublishAsync(Orders, Message("a", "k"), Stop).AsTask();
        await cutOff.Reached;
        fixture.Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(WriteStatus.Applied, await fixture.Log.CloseSlotAsync(Shard, new Offset(2)));
        fixture.Clock.Advance(TimeSpan.FromSeconds(3));
        await fixture.TrimAsync(Shard, head: 3);
        gate.SetResult();
        var result = await fixture.EndAsync(call);

        Assert.Equal(isKept, result.Place.Position.Offset > new Offset(2));
        Assert.Equal(isKept ? ["a"] : [], await fixture.ReadIdsAsync(Orders));
    }

    [Fact]
    public async Task Execution1_SlowAppendWhoseSlotStillCounts_IsConfirmedThereAfterTheLook()
    {
        await using var fixture = new PublishingFixture();
        await fixture.PublishAsync(Orders, Message("first", "k"));
        var gate = new TaskCompletionSource();
        var slow = fixture.Store.Add(new StoreRule { Operation = StoreOperation.Insert, Where = IsEntry, After = () => gate.Task });

        var call = fixture.Producer.PublishAsync(Orders, Message("a", "k"), Stop).AsTask();
        await slow.Reached;
        fixture.Clock.Advance(TimeSpan.FromSeconds(20));
        fixture.Store.ClearCalls();
        gate.SetResult();

        Assert.Equal(new Offset(2), (await fixture.EndAsync(call)).Place.Position.Offset);
        Assert.Contains(fixture.Store.Calls, seen => seen.Operation == StoreOperation.Get && seen.Key == DocumentKeys.Topic(Orders, 0));
        Assert.Equal(["first", "a"], await fixture.ReadIdsAsync(Orders));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Execution5_TailFell_TheNextMessageIsStillBehindTheLast(bool isKept)
    {
        var broken = isKept ? BrokenRules.None : BrokenRules.NoThrowAwayOldReservation;
        await using var fixture = new PublishingFixture(broken: broken);
        await fixture.Directory.GetOrCreateAsync(Orders, cancellationToken: Stop);
        await fixture.Log.ReserveAsync(Shard, new Deadline(fixture.Runtime.Time, TimeSpan.FromSeconds(1)));
        var a = await fixture.PublishAsync(Orders, Message("a", "k"));
        await fixture.SetTailAsync(Shard, 0);

        var b = await fixture.PublishAsync(Orders, Message("b", "k"));

        Assert.Equal(new Offset(2), a.Place.Position.Offset);
        Assert.Equal(isKept, b.Place.Position > a.Place.Position);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Execution6_FirstInsertLandsAfterTheSecondWasSent_IsStoredOnce(bool isKept)
    {
        var broken = isKept ? BrokenRules.None : BrokenRules.NoReadOnExists;
        await using var fixture = new PublishingFixture(broken: broken);
        await fixture.PublishAsync(Orders, Message("first", "k"));
        var lost = fixture.Store.Fail(StoreOperation.Insert, StoreFault.UnknownNotApplied, IsEntry);
        fixture.Store.Add(new StoreRule
        {
            Operation = StoreOperation.Insert,
            Where = IsEntry,
            Before = async () =>
            {
                var first = lost.Calls.Single();
                await fixture.Store.Inner.InsertAsync(first.Key, first.Content, WriteOptions.Synced);
            },
        });

        var result = await fixture.PublishAsync(Orders, Message("a", "k"));

        Assert.Equal(isKept ? ["first", "a"] : ["first", "a", "a"], await fixture.ReadIdsAsync(Orders));
        Assert.Equal(isKept, result.Place.Position.Offset == new Offset(2));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Execution7_UnknownThenRefused_IsUnknown_ForTheFirstMayLandLater(bool isKept)
    {
        var broken = isKept ? BrokenRules.None : BrokenRules.UnknownIsFailure;
        await using var fixture = new PublishingFixture(broken: broken);
        await fixture.PublishAsync(Orders, Message("first", "k"));
        var lost = fixture.Store.Fail(StoreOperation.Insert, StoreFault.UnknownNotApplied, IsEntry);
        fixture.Store.Fail(StoreOperation.Insert, StoreFault.Unavailable, IsEntry, times: int.MaxValue);

        var failure = await Assert.ThrowsAnyAsync<PubException>(() => fixture.PublishAsync(Orders, Message("a", "k")));
        var first = lost.Calls.Single();
        await fixture.Store.Inner.InsertAsync(first.Key, first.Content, WriteOptions.Synced);

        Assert.Equal(["first", "a"], await fixture.ReadIdsAsync(Orders));
        Assert.Equal(isKept, failure is OutcomeUnknownException);
    }

    [Fact]
    public async Task Execution7_UnknownThenTheSlotClosed_IsCertainlyFailed_AndTheFirstCannotLand()
    {
        await using var fixture = new PublishingFixture();
        await fixture.PublishAsync(Orders, Message("first", "k"));
        var unknown = fixture.Store.Fail(StoreOperation.Insert, StoreFault.UnknownNotApplied, IsEntry);
        var away = fixture.Store.Fail(StoreOperation.Insert, StoreFault.Unavailable, IsEntry, times: int.MaxValue);
        var call = fixture.Producer.PublishAsync(Orders, Message("a", "k"), Stop).AsTask();
        await away.Reached;

        // From here on the store takes nothing but the tombstone.
        fixture.Store.Decide = seen => seen.Operation == StoreOperation.Insert && IsEntry(seen.Key) && seen.Content.Span.IndexOf("\"closed\":true"u8) < 0 ? away : null;
        away.Times = 0;

        await Assert.ThrowsAsync<StoreUnavailableException>(() => fixture.EndAsync(call));
        var first = unknown.Calls.Single();
        Assert.Equal(WriteStatus.Exists, (await fixture.Store.Inner.InsertAsync(first.Key, first.Content, WriteOptions.Synced)).Status);
        Assert.Equal(["first"], await fixture.ReadIdsAsync(Orders));
    }

    [Fact]
    public async Task Execution7_UnknownThenReadAndTrimmed_ClosingTheEmptySlotProvesNothing()
    {
        await using var fixture = new PublishingFixture();
        await fixture.PublishAsync(Orders, Message("first", "k"));
        fixture.Store.Fail(StoreOperation.Insert, StoreFault.UnknownApplied, IsEntry);
        var cutOff = fixture.Store.Fail(StoreOperation.Get, StoreFault.Unavailable, IsEntry, times: int.MaxValue);
        var call = fixture.Producer.PublishAsync(Orders, Message("a", "k"), Stop).AsTask();
        await cutOff.Reached;

        // The entry landed, was delivered and settled, and was trimmed. Now the store is back, and takes nothing but the tombstone.
        await fixture.TrimAsync(Shard, head: 3);
        fixture.Store.Decide = seen => seen.Operation == StoreOperation.Insert && IsEntry(seen.Key) && seen.Content.Span.IndexOf("\"closed\":true"u8) < 0 ? cutOff : null;
        cutOff.Times = 0;

        await Assert.ThrowsAsync<OutcomeUnknownException>(() => fixture.EndAsync(call));
    }

    [Fact]
    public async Task Execution24_FirstSendToAQueue_MakesItListed_AndItsFirstMessageIsAtTheBeginning()
    {
        await using var fixture = new PublishingFixture();
        var queue = TopicName.Queue("x_error");

        var result = await fixture.PublishAsync(queue, Message("a"));

        var snapshot = (await fixture.Directory.RefreshAsync(queue, Stop))!;
        Assert.Equal(Offset.First, result.Place.Position.Offset);
        Assert.Equal(Offset.First, snapshot[result.Place.Shard.Number].Head);
        Assert.Equal(Retention.WhenSettled, snapshot.Settings.Retention);
        Assert.Equal([queue], await new Catalog(fixture.Store, fixture.Runtime).ListTopicsAsync(Stop));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Execution29_KeylessBurst_IsSpreadOverTheShards(bool isKept)
    {
        var broken = isKept ? BrokenRules.None : BrokenRules.UnboundedKeylessEntries;
        await using var fixture = new PublishingFixture(broken: broken);
        var burst = Enumerable.Range(0, 1000).Select(i => Message($"m{i}")).ToList();

        var results = await fixture.EndAsync(fixture.Producer.PublishAsync(Orders, burst, Stop).AsTask());

        var largest = results.GroupBy(result => (result.Place.Shard, result.Place.Position.Offset)).Max(entry => entry.Count());
        var shards = results.Select(result => result.Place.Shard).Distinct().Count();
        Assert.Equal(isKept, largest <= 64);
        Assert.Equal(isKept, shards == 16);
        Assert.Equal(1000, (await fixture.ReadIdsAsync(Orders)).Distinct().Count());
    }
}

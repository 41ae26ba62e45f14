using Microsoft.Extensions.Logging.Abstractions;
using Pub.Storage;
using Pub.Testing;
using Pub.Topics;
using static Pub.Tests.Publishing.PublishingFixture;

namespace Pub.Tests.Publishing;

public class ProducerTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PublishAsync_NewTopic_IsMadeAndHoldsTheMessageWhereTheResultSays()
    {
        await using var fixture = new PublishingFixture();

        var result = await fixture.PublishAsync(Orders, Message("a"));

        Assert.False(result.IsDropped);
        var entries = await fixture.ReadAsync(Orders, result.Place.Shard.Number);
        Assert.Equal("a", entries[result.Place.Position.Offset.Value].Messages[result.Place.Position.Index].Id);
    }

    [Fact]
    public async Task PublishAsync_ManyWithOneKeyNotAwaited_AreInOneShardInTheOrderOfCalls()
    {
        await using var fixture = new PublishingFixture();
        var names = Enumerable.Range(0, 500).Select(i => $"m{i}").ToList();

        var results = await fixture.EndAsync(Task.WhenAll(names.Select(name => fixture.Producer.PublishAsync(Orders, Message(name, "k"), Stop).AsTask())));

        Assert.Equal(names, await fixture.ReadIdsAsync(Orders));
        Assert.Single(results.Select(result => result.Place.Shard).Distinct());
        Assert.Equal(results.Order(Comparer<PublishResult>.Create((x, y) => x.Place.Position.CompareTo(y.Place.Position))), results);
    }

    [Fact]
    public async Task PublishAsync_List_AnswersEachPlaceInTheOrderGiven()
    {
        await using var fixture = new PublishingFixture();
        var messages = Enumerable.Range(0, 200).Select(i => Message($"m{i}", i % 2 == 0 ? $"k{i % 7}" : null)).ToList();

        var results = await fixture.EndAsync(fixture.Producer.PublishAsync(Orders, messages, Stop).AsTask());

        Assert.Equal(messages.Count, results.Count);
        for (var i = 0; i < results.Count; i++)
        {
            var place = results[i].Place;
            Assert.Equal($"m{i}", (await fixture.ReadAsync(Orders, place.Shard.Number))[place.Position.Offset.Value].Messages[place.Position.Index].Id);
        }
    }

    [Fact]
    public async Task PublishAsync_EmptyList_TouchesNothing()
    {
        await using var fixture = new PublishingFixture();

        Assert.Empty(await fixture.Producer.PublishAsync(Orders, [], Stop));
        Assert.Empty(fixture.Store.Calls);
    }

    [Fact]
    public async Task PublishAsync_ExplicitShard_IsThere_AndOneTooHighIsRefused()
    {
        await using var fixture = new PublishingFixture();

        var result = await fixture.EndAsync(fixture.Producer.PublishAsync(Orders, Message("a", "k"), new PublishOptions { Shard = 11 }, Stop).AsTask());
        Assert.Equal(11, result.Place.Shard.Number);

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => fixture.EndAsync(fixture.Producer.PublishAsync(Orders, Message("b"), new PublishOptions { Shard = 16 }, Stop).AsTask()));
        Assert.Throws<ArgumentOutOfRangeException>(() => new PublishOptions { Shard = -1 });
        Assert.Equal(["a"], await fixture.ReadIdsAsync(Orders));
    }

    [Fact]
    public async Task PublishAsync_TooLarge_ThrowsAndReservesNothing()
    {
        await using var fixture = new PublishingFixture();
        await fixture.PublishAsync(Orders, Message("first", "k"));
        fixture.Store.ClearCalls();
        var large = new OutgoingMessage { Body = new byte[fixture.Store.MaxDocumentBytes], ContentType = "application/octet-stream" };

        await Assert.ThrowsAsync<MessageTooLargeException>(async () => await fixture.Producer.PublishAsync(Orders, large, Stop));
        await Assert.ThrowsAsync<MessageTooLargeException>(async () => await fixture.Producer.PublishAsync(Orders, [Message("small"), large], Stop));

        Assert.Empty(fixture.Store.Calls);
        Assert.Equal(["first"], await fixture.ReadIdsAsync(Orders));
    }

    [Fact]
    public async Task PublishAsync_TokenCancelledBeforeTheAppend_IsTakenOut()
    {
        await using var fixture = new PublishingFixture();
        await fixture.PublishAsync(Orders, Message("first", "k"));
        var gate = new TaskCompletionSource();
        var blocked = fixture.Store.Add(new StoreRule { Operation = StoreOperation.Insert, Where = IsEntry, Before = () => gate.Task });
        using var cancel = new CancellationTokenSource();

        var inAppend = fixture.Producer.PublishAsync(Orders, Message("in append", "k"), cancel.Token).AsTask();
        await blocked.Reached;
        var waiting = fixture.Producer.PublishAsync(Orders, Message("waiting", "k"), cancel.Token).AsTask();
        var other = fixture.Producer.PublishAsync(Orders, Message("other", "k"), Stop).AsTask();
        cancel.Cancel();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.False(inAppend.IsCompleted);
        gate.SetResult();
        await fixture.EndAsync(Task.WhenAll(inAppend, other));
        Assert.Equal(["first", "in append", "other"], await fixture.ReadIdsAsync(Orders));
    }

    [Fact]
    public async Task PublishAsync_TokenAlreadyCancelled_DoesNothing()
    {
        await using var fixture = new PublishingFixture();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await fixture.Producer.PublishAsync(Orders, Message("a"), new CancellationToken(true)));

        Assert.Empty(fixture.Store.Calls);
    }

    [Fact]
    public async Task DisposeAsync_WithMessagesWaiting_SendsThemAndThenRefuses()
    {
        await using var fixture = new PublishingFixture();
        var names = Enumerable.Range(0, 300).Select(i => $"m{i}").ToList();
        var calls = names.Select(name => fixture.Producer.PublishAsync(Orders, Message(name, name), Stop).AsTask()).ToList();

        await fixture.EndAsync(fixture.Producer.DisposeAsync().AsTask().ContinueWith(_ => 0, TaskScheduler.Default));

        await fixture.EndAsync(Task.WhenAll(calls));
        Assert.Equal(names.Order(), (await fixture.ReadIdsAsync(Orders)).Order());
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await fixture.Producer.PublishAsync(Orders, Message("late"), Stop));
    }

    [Fact]
    public async Task PublishAsync_TopicOfAnEndpointThatIsGone_IsDroppedAndCreatesNothing()
    {
        await using var fixture = new PublishingFixture();
        var reply = TopicName.Queue("reply-1");
        await fixture.Directory.CreateTemporaryAsync(reply, Stop);
        Assert.False((await fixture.PublishAsync(reply, Message("a"))).IsDropped);
        await fixture.Directory.RemoveTemporaryAsync(reply);

        var result = await fixture.PublishAsync(reply, Message("b"));

        Assert.True(result.IsDropped);
        Assert.Equal(1, fixture.Producer.DroppedMessages);
        Assert.Null(await fixture.Directory.RefreshAsync(reply, Stop));
        Assert.Throws<InvalidOperationException>(() => result.Place);
    }

    [Fact]
    public async Task PublishAsync_OnlyIfExists_NoTopic_IsDroppedAndCreatesNothing_AndALaterPublishCreatesIt()
    {
        await using var fixture = new PublishingFixture();

        var result = await fixture.EndAsync(fixture.Producer.PublishAsync(Orders, Message("a"), new PublishOptions { OnlyIfExists = true }, Stop).AsTask());

        Assert.True(result.IsDropped);
        Assert.Equal(0, fixture.Store.Count(StoreOperation.Insert));
        Assert.False((await fixture.PublishAsync(Orders, Message("b"))).IsDropped);
        Assert.False((await fixture.EndAsync(fixture.Producer.PublishAsync(Orders, Message("c"), new PublishOptions { OnlyIfExists = true }, Stop).AsTask())).IsDropped);
    }

    [Fact]
    public async Task PublishAsync_MoreThanMayWait_HoldsCallsBackAndKeepsTheirOrder()
    {
        await using var fixture = new PublishingFixture(options: new ProducerOptions { MaxPendingBytes = 1024 * 1024 });
        var gate = new TaskCompletionSource();
        var blocked = fixture.Store.Add(new StoreRule { Operation = StoreOperation.Insert, Where = IsEntry, Before = () => gate.Task });
        var names = Enumerable.Range(0, 40).Select(i => $"m{i}").ToList();

        var calls = names.Select(name => fixture.Producer.PublishAsync(
            Orders, new OutgoingMessage { Id = name, Key = "k", ContentType = "application/octet-stream", Body = new byte[60_000] }, Stop).AsTask()).ToList();
        await blocked.Reached;
        gate.SetResult();

        var results = await fixture.EndAsync(Task.WhenAll(calls));
        Assert.Equal(names, await fixture.ReadIdsAsync(Orders));
        var entries = await fixture.ReadAsync(Orders, results[0].Place.Shard.Number);
        Assert.All(entries.Values, entry => Assert.True(entry.EncodedBytes <= 1024 * 1024));
    }

    [Fact]
    public async Task PublishAsync_StoreAwayLongerThanTheTimeout_IsCertainlyNotPublished_AndTheNextOneWorks()
    {
        await using var fixture = new PublishingFixture();
        await fixture.PublishAsync(Orders, Message("first", "k"));
        var away = fixture.Store.Fail(StoreOperation.Insert, StoreFault.Unavailable, IsEntry, times: int.MaxValue);

        var call = fixture.Producer.PublishAsync(Orders, Message("a", "k"), Stop).AsTask();
        await away.Reached;
        var behind = fixture.Producer.PublishAsync(Orders, Message("b", "k"), Stop).AsTask();
        await Assert.ThrowsAsync<StoreUnavailableException>(() => fixture.EndAsync(call));
        away.Times = 0;

        await fixture.EndAsync(behind);
        Assert.Equal(["first", "b"], await fixture.ReadIdsAsync(Orders));
    }

    [Fact]
    public async Task PublishAsync_StoreAwayForAWhile_IsPublishedOnce()
    {
        await using var fixture = new PublishingFixture();
        fixture.Store.Fail(StoreOperation.Get, StoreFault.Unavailable, times: 3);
        fixture.Store.Fail(StoreOperation.Increment, StoreFault.UnknownNotApplied, times: 3);
        fixture.Store.Fail(StoreOperation.Insert, StoreFault.Unavailable, IsEntry, times: 3);

        await fixture.PublishAsync(Orders, Message("a"));

        Assert.Equal(["a"], await fixture.ReadIdsAsync(Orders));
    }

    [Fact]
    public async Task PublishAsync_BatchOfWhichOneFails_TellsWhich()
    {
        await using var fixture = new PublishingFixture(options: new ProducerOptions { PublishTimeout = TimeSpan.FromSeconds(1) });
        await fixture.PublishAsync(Orders, Message("first", "k"));
        var away = $"{Orders}/{ShardHash.ShardOf("away", 16)}/";
        Assert.NotEqual(ShardHash.ShardOf("away", 16), ShardHash.ShardOf("near", 16));
        fixture.Store.Fail(StoreOperation.Insert, StoreFault.Unavailable, key => IsEntry(key) && key.Id.StartsWith(away, StringComparison.Ordinal), times: int.MaxValue);

        var failure = await Assert.ThrowsAsync<PublishBatchException>(
            () => fixture.EndAsync(fixture.Producer.PublishAsync(Orders, [Message("a", "near"), Message("b", "away")], Stop).AsTask()));

        Assert.Null(failure.Failures[0]);
        Assert.IsType<StoreUnavailableException>(failure.Failures[1]);
        Assert.False(failure.Results[0].IsDropped);
    }

    [Theory]
    [InlineData(nameof(ProducerOptions.MaxPendingBytes))]
    [InlineData(nameof(ProducerOptions.PublishTimeout))]
    [InlineData(nameof(ProducerOptions.MaxEntryMessages))]
    [InlineData(nameof(ProducerOptions.MaxEntryBytes))]
    [InlineData(nameof(ProducerOptions.KeylessEntryMessages))]
    [InlineData(nameof(ProducerOptions.KeylessAppends))]
    public void FindFaults_ValueNotAllowed_NamesTheSetting(string setting)
    {
        var options = new ProducerOptions();
        var property = typeof(ProducerOptions).GetProperty(setting)!;
        property.SetValue(options, property.PropertyType == typeof(TimeSpan) ? TimeSpan.Zero : Convert.ChangeType(0, property.PropertyType, null));

        Assert.StartsWith(setting, options.FindFaults(), StringComparison.Ordinal);
        Assert.Null(new ProducerOptions().FindFaults());
    }
}

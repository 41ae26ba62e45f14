using Pub.Storage.Memory;
using Pub.Topics;

namespace Pub.Tests.Control;

/// <summary>What the controller does to consumers that run, in real time.</summary>
public sealed class RunningConsumerTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private static readonly TopicName Orders = TopicName.Topic("orders");
    private static readonly SubscriptionName Audit = SubscriptionName.Plain("audit");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rewind_IdleConsumer_GetsTheMessagesAgain()
    {
        await using var pub = PubClient.Create(new MemoryDocumentStore(), ownsStore: true);

        // Another subscription keeps the entries.
        await pub.SubscribeAsync(SubscriptionName.Plain("keeper"), options => options.Read(Orders), Cancellation);
        var consumer = await pub.SubscribeAsync(Audit, options => options.Read(Orders), Cancellation);
        await PublishAsync(pub, "a", "b");
        Assert.Equal(["a", "b"], await ReceiveAsync(consumer, 2));
        await SettledAsync(pub);

        await pub.Controller.RewindAsync(Audit, StartAt.Beginning, Orders, Cancellation);

        Assert.Equal(["a", "b"], await ReceiveAsync(consumer, 2));
    }

    [Fact]
    public async Task Delete_RunningSubscription_EndsItsConsumer()
    {
        await using var pub = PubClient.Create(new MemoryDocumentStore(), ownsStore: true);
        var consumer = await pub.SubscribeAsync(Audit, options => options.Read(Orders), Cancellation);

        await pub.Controller.DeleteAsync(Audit, Cancellation);

        await UntilAsync(() => Task.FromResult(pub.Consumers.Count == 0));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => consumer.PullAsync(1, TimeSpan.FromMilliseconds(10), Cancellation).AsTask());
    }

    [Fact]
    public async Task RecordFlow_RunningConsumer_ReadsTheNewSource()
    {
        await using var pub = PubClient.Create(new MemoryDocumentStore(), ownsStore: true);
        var consumer = await pub.SubscribeAsync(Audit, options => options.Read(TopicName.Topic("events")), Cancellation);

        await pub.Core.Registry.RecordFlowAsync(Orders, TopicName.Topic("events"), Cancellation);
        await PublishAsync(pub, "a");

        Assert.Equal(["a"], await ReceiveAsync(consumer, 1));
    }

    /// <summary>Keys move to a shard of another lease (4 to 8 shards) and of the same (16 to 32).</summary>
    [Theory]
    [InlineData(4, 8)]
    [InlineData(16, 32)]
    public async Task AddShards_OldShardUnsettled_HoldsTheAddedOneBack(int before, int after)
    {
        await using var pub = PubClient.Create(new MemoryDocumentStore(), ownsStore: true);
        await pub.Controller.CreateAsync(Orders, new TopicSettings { Shards = before }, Cancellation);
        var consumer = await pub.SubscribeAsync(Audit, options => options.Read(Orders), Cancellation);
        string[] keys = [.. Enumerable.Range(0, 1000).Select(i => $"key-{i}")];
        var old = keys.First(key => ShardHash.ShardOf(key, after) == 1);
        var moved = keys.First(key => ShardHash.ShardOf(key, after) == 1 + before);
        await PublishKeyAsync(pub, old);
        var first = Assert.Single(await consumer.PullAsync(1, Limit, Cancellation));

        await pub.Controller.AddShardsAsync(Orders, after, Cancellation);
        var place = await PublishKeyAsync(pub, moved);

        Assert.Equal(1 + before, place.Shard.Number);
        Assert.Empty(await consumer.PullAsync(1, TimeSpan.FromMilliseconds(500), Cancellation));
        first.Ack();
        var second = Assert.Single(await consumer.PullAsync(1, Limit, Cancellation));
        Assert.Equal(moved, second.Message.Key);
        second.Ack();
    }

    private static async Task<MessagePlace> PublishKeyAsync(PubClient pub, string key) =>
        (await pub.Producer.PublishAsync(Orders, new OutgoingMessage { Key = key, Body = "{}"u8.ToArray() }, Cancellation)).Place;

    private static async Task PublishAsync(PubClient pub, params string[] ids)
    {
        foreach (var id in ids)
        {
            await pub.Producer.PublishAsync(Orders, new OutgoingMessage { Id = id, Key = "k", Body = "{}"u8.ToArray() }, Cancellation);
        }
    }

    private static async Task<IReadOnlyList<string>> ReceiveAsync(Consumer consumer, int count)
    {
        var ids = new List<string>();
        while (ids.Count < count)
        {
            var batch = await consumer.PullAsync(count - ids.Count, Limit, Cancellation);
            Assert.NotEmpty(batch);
            foreach (var delivery in batch)
            {
                ids.Add(delivery.Message.Id);
                delivery.Ack();
            }
        }

        return ids;
    }

    private static Task SettledAsync(PubClient pub) =>
        UntilAsync(async () => (await pub.Controller.DescribeAsync(Audit, Cancellation)).LagEntries == 0);

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(Limit);
        while (!await condition())
        {
            await Task.Delay(10, limit.Token);
        }
    }
}

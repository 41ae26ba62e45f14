using System.Text;
using Pub.Storage.Memory;

namespace Pub.Tests;

/// <summary>The whole core on the memory store, in real time.</summary>
public class ClientTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task SubscribeAsync_MessagesPublished_ReceivesEachOnce()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var pub = PubClient.Create(new MemoryDocumentStore(), ownsStore: true);
        var topic = TopicName.Topic("orders");
        var consumer = await pub.SubscribeAsync(SubscriptionName.Plain("audit"), options => options.Read(topic), cancellation);

        var received = new HashSet<string>();
        var publishing = Task.WhenAll(Enumerable.Range(0, 500).Select(i => pub.Producer.PublishAsync(topic, Json(i), cancellation).AsTask()));
        while (received.Count < 500)
        {
            var batch = await consumer.PullAsync(50, Limit, cancellation);
            Assert.NotEmpty(batch);
            foreach (var delivery in batch)
            {
                Assert.True(received.Add(Encoding.UTF8.GetString(delivery.Message.Body.Span)));
                Assert.Equal(1, delivery.DeliveryCount);
                Assert.True(delivery.Ack());
            }
        }

        await publishing;
        Assert.Empty(await consumer.PullAsync(1, TimeSpan.FromMilliseconds(50), cancellation));
    }

    [Fact]
    public async Task StopAsync_HalfSettled_TheNextConsumerGetsTheRest()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var store = new MemoryDocumentStore();
        var queue = TopicName.Queue("orders");
        var subscription = SubscriptionName.Queue("orders");
        var first = PubClient.Create(store);
        var consumer = await first.SubscribeAsync(subscription, cancellationToken: cancellation);
        for (var i = 0; i < 20; i++)
        {
            await first.Producer.PublishAsync(queue, Json(i), cancellation);
        }

        var settled = new HashSet<string>();
        while (settled.Count < 10)
        {
            foreach (var delivery in await consumer.PullAsync(10 - settled.Count, Limit, cancellation))
            {
                settled.Add(Encoding.UTF8.GetString(delivery.Message.Body.Span));
                delivery.Ack();
            }
        }

        await first.DisposeAsync();
        await using var second = PubClient.Create(store);
        var other = await second.SubscribeAsync(subscription, cancellationToken: cancellation);
        while (settled.Count < 20)
        {
            foreach (var delivery in await other.PullAsync(20, Limit, cancellation))
            {
                Assert.True(settled.Add(Encoding.UTF8.GetString(delivery.Message.Body.Span)));
                delivery.Ack();
            }
        }
    }

    [Fact]
    public async Task RunAsync_HandlerThrows_DeliversAgainThenDeadLetters()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var pub = PubClient.Create(new MemoryDocumentStore(), ownsStore: true);
        var consumer = await pub.SubscribeAsync(SubscriptionName.Queue("orders"), options => options.MaxDeliveries = 3, cancellation);
        var dead = await pub.SubscribeAsync(SubscriptionName.Queue("orders_dead"), cancellationToken: cancellation);
        var counts = new List<int>();
        var running = consumer.RunAsync((delivery, _) =>
        {
            counts.Add(delivery.DeliveryCount);
            throw new InvalidOperationException("no");
        }, cancellation);
        await pub.Producer.PublishAsync(TopicName.Queue("orders"), Json(1), cancellation);

        var letter = Assert.Single(await dead.PullAsync(1, Limit, cancellation));
        letter.Ack();
        Assert.Equal([1, 2, 3], counts);
        Assert.Equal("too-many-deliveries", letter.Message.Headers[PubHeaders.Reason]);
        Assert.Equal("q:orders", letter.Message.Headers[PubHeaders.OriginTopic]);
        Assert.Contains("InvalidOperationException: no", letter.Message.Headers[PubHeaders.Exception], StringComparison.Ordinal);
        await consumer.StopAsync();
        await running;
    }

    [Theory]
    [InlineData(4)]
    [InlineData(16)]
    public async Task AddShardsAsync_KeyedMessagesWaiting_KeepTheirOrderAcrossTheChange(int shards)
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var pub = PubClient.Create(new MemoryDocumentStore(), ownsStore: true);
        var topic = TopicName.Topic("orders");
        await pub.Controller.CreateAsync(topic, new TopicSettings { Shards = shards }, cancellation);
        var consumer = await pub.SubscribeAsync(SubscriptionName.Plain("audit"), options => options.Read(topic), cancellation);
        for (var i = 0; i < 200; i++)
        {
            if (i == 100)
            {
                await pub.Controller.AddShardsAsync(topic, shards * 2, cancellation);
            }

            await pub.Producer.PublishAsync(topic, new OutgoingMessage { Key = $"key-{i % 10}", Body = Encoding.ASCII.GetBytes($"{i}") }, cancellation);
        }

        var last = new Dictionary<string, int>();
        var shardsSeen = new HashSet<int>();
        for (var received = 0; received < 200;)
        {
            foreach (var delivery in await consumer.PullAsync(7, Limit, cancellation))
            {
                var number = int.Parse(Encoding.ASCII.GetString(delivery.Message.Body.Span), System.Globalization.CultureInfo.InvariantCulture);
                Assert.True(number > last.GetValueOrDefault(delivery.Message.Key!, -1), $"{number} came after {last.GetValueOrDefault(delivery.Message.Key!)}");
                last[delivery.Message.Key!] = number;
                shardsSeen.Add(delivery.Place.Shard.Number);
                delivery.Ack();
                received++;
            }
        }

        Assert.Contains(shardsSeen, shard => shard >= shards);
    }

    [Fact]
    public async Task SubscribeAsync_Temporary_ReceivesAndLeavesNothingBehind()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var pub = PubClient.Create(new MemoryDocumentStore(), ownsStore: true);
        var topic = TopicName.Topic("prices");
        var replies = TopicName.Queue("replies-1");
        var consumer = await pub.SubscribeAsync(
            SubscriptionName.Queue("replies-1"),
            options =>
            {
                options.IsTemporary = true;
                options.Read(topic);
            },
            cancellation);
        await pub.Producer.PublishAsync(topic, Json(1), cancellation);
        await pub.Producer.PublishAsync(replies, Json(2), new PublishOptions { OnlyIfExists = true }, cancellation);

        var bodies = new List<string>();
        while (bodies.Count < 2)
        {
            foreach (var delivery in await consumer.PullAsync(2, Limit, cancellation))
            {
                bodies.Add(Encoding.UTF8.GetString(delivery.Message.Body.Span));
                delivery.Ack();
            }
        }

        await consumer.StopAsync();
        Assert.Equal(["""{"number":1}""", """{"number":2}"""], bodies.Order());
        Assert.True((await pub.Producer.PublishAsync(replies, Json(3), new PublishOptions { OnlyIfExists = true }, cancellation)).IsDropped);
        await Assert.ThrowsAsync<NotFoundException>(() => pub.Controller.DescribeAsync(SubscriptionName.Queue("replies-1"), cancellation));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task NackAsync_WithDelay_KeepsItsKeyBackOnlyWhenAsked(bool holdKey)
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var pub = PubClient.Create(new MemoryDocumentStore(), ownsStore: true);
        var consumer = await pub.SubscribeAsync(SubscriptionName.Queue("orders"), options => options.HoldKey = holdKey, cancellation);
        foreach (var (key, number) in new[] { ("a", 1), ("a", 2), ("b", 3) })
        {
            await pub.Producer.PublishAsync(TopicName.Queue("orders"), new OutgoingMessage { Key = key, Body = Encoding.ASCII.GetBytes($"{number}") }, cancellation);
        }

        var order = new List<string>();
        while (order.Count < 3)
        {
            foreach (var delivery in await consumer.PullAsync(1, Limit, cancellation))
            {
                var body = Encoding.ASCII.GetString(delivery.Message.Body.Span);
                if (body == "1" && delivery.DeliveryCount == 1)
                {
                    Assert.True(await delivery.NackAsync(TimeSpan.FromMilliseconds(300)));
                    continue;
                }

                Assert.Equal(body == "1" ? 2 : 1, delivery.DeliveryCount);
                order.Add(body);
                delivery.Ack();
            }
        }

        Assert.Equal(holdKey, order.IndexOf("1") < order.IndexOf("2"));
        Assert.True(order.IndexOf("3") < order.IndexOf("1"), "Another key does not wait.");
    }

    private static OutgoingMessage Json(int number) => new() { Body = Encoding.UTF8.GetBytes($$"""{"number":{{number}}}""") };
}

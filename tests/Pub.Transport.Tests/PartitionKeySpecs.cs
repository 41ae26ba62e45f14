using System.Collections.Concurrent;

namespace Pub.Transport.Tests;

public sealed class PartitionKeyMemorySpecs : PartitionKeySpecs<MemoryStore>;

public sealed class PartitionKeySqliteSpecs : PartitionKeySpecs<SqliteStore>;

public abstract class PartitionKeySpecs<TStore> : TransportSpec<TStore>
    where TStore : ITestStore, new()
{
    [Fact]
    public async Task Consume_MessagesOfOneKey_KeepTheirOrderAndNeverOverlap()
    {
        const int Keys = 5;
        const int Each = 20;
        var inbox = new Inbox<(string Key, int Number)>();
        var running = new ConcurrentDictionary<string, int>();
        var overlaps = 0;
        var bus = await StartAsync(cfg =>
        {
            cfg.Send<OrderSubmitted>(x => x.UsePartitionKeyFormatter(context => context.Message.Customer));
            cfg.ReceiveEndpoint("orders", e => e.Handler<OrderSubmitted>(async context =>
            {
                var key = context.PartitionKey()!;
                if (running.AddOrUpdate(key, 1, (_, count) => count + 1) > 1)
                {
                    Interlocked.Increment(ref overlaps);
                }

                await Task.Yield();
                inbox.Add((key, context.Message.Number));
                running.AddOrUpdate(key, 0, (_, count) => count - 1);
            }));
        });
        for (var number = 0; number < Each; number++)
        {
            for (var key = 0; key < Keys; key++)
            {
                await bus.Bus.Publish(new OrderSubmitted(number, $"customer-{key}"), Cancellation);
            }
        }

        var received = await inbox.TakeAsync(Keys * Each);
        Assert.All(received.GroupBy(item => item.Key), key => Assert.Equal(Enumerable.Range(0, Each), key.Select(item => item.Number)));
        Assert.Equal(0, overlaps);
    }

    /// <summary>Facts 1.6: the key is not copied onto what a consumer sends; under one key the request would wait for its own sender.</summary>
    [Fact]
    public async Task Request_ToTheConsumersOwnEndpoint_IsAnswered()
    {
        var inbox = new Inbox<string>();
        IBus? self = null;
        var bus = await StartAsync(cfg => cfg.ReceiveEndpoint("orders", e =>
        {
            e.Handler<CheckOrder>(context => context.RespondAsync(new OrderFound(context.Message.Number, "Ann")));
            e.Handler<OrderSubmitted>(async context =>
            {
                var client = self!.CreateClientFactory().CreateRequestClient<CheckOrder>(context, new Uri("queue:orders"), RequestTimeout.After(s: 20));
                var response = await client.GetResponse<OrderFound>(new CheckOrder(1), context.CancellationToken);
                inbox.Add(response.Message.Customer);
            });
        }));
        self = bus.Bus;
        await bus.Bus.Publish(new OrderSubmitted(1), context => context.SetPartitionKey("k"), Cancellation);

        Assert.Equal("Ann", await inbox.TakeAsync());
    }

    /// <summary>Facts 1.6: a run of one key is a unit, or the batch waits for its time limit at every message of the key.</summary>
    [Fact]
    public async Task BatchConsumer_MessagesOfOneKey_ComeTogetherInOrder()
    {
        var batches = new Inbox<int[]>();
        var bus = await StartAsync(_ => { });
        var endpoint = await bus.Bus.GetSendEndpoint(new Uri("queue:orders"));
        for (var number = 0; number < 20; number++)
        {
            await endpoint.Send(new OrderSubmitted(number), context => context.SetPartitionKey("k"), Cancellation);
        }

        var handle = bus.Bus.ConnectReceiveEndpoint("orders", e =>
        {
            ((IPubReceiveEndpointConfigurator)e).DispatchKeyRuns = true;
            e.PrefetchCount = 20;
            e.Batch<OrderSubmitted>(batch =>
            {
                batch.MessageLimit = 10;
                batch.TimeLimit = TimeSpan.FromSeconds(1);
                batch.Consumer(() => new BatchConsumer(batches));
            });
        });
        await handle.Ready;

        var received = new List<int[]>();
        while (received.Sum(batch => batch.Length) < 20)
        {
            received.Add(await batches.TakeAsync());
        }

        Assert.Equal(Enumerable.Range(0, 20), received.SelectMany(batch => batch));
        Assert.True(received.Count < 10, $"{received.Count} batches for 20 messages");
        await bus.StopAsync();
        Assert.Empty(batches.Rest());
    }

    [Fact]
    public async Task Consume_PastItsTimeToLive_IsDropped()
    {
        var inbox = new Inbox<int>();
        var bus = await StartAsync(_ => { });
        var endpoint = await bus.Bus.GetSendEndpoint(new Uri("queue:orders"));
        await endpoint.Send(new OrderSubmitted(1), context => context.TimeToLive = TimeSpan.FromMilliseconds(1), Cancellation);
        await endpoint.Send(new OrderSubmitted(2), context => context.TimeToLive = TimeSpan.FromHours(1), Cancellation);
        var handle = bus.Bus.ConnectReceiveEndpoint("orders", e => e.Handler<OrderSubmitted>(context =>
        {
            inbox.Add(context.Message.Number);
            return Task.CompletedTask;
        }));
        await handle.Ready;

        Assert.Equal(2, await inbox.TakeAsync());
        await bus.StopAsync();
        Assert.Empty(inbox.Rest());
    }

    [Fact]
    public async Task Consume_HeadersOfAllKinds_ArriveWithIdsAndTypes()
    {
        var inbox = new Inbox<ConsumeContext<OrderSubmitted>>();
        var bus = await StartAsync(cfg => cfg.ReceiveEndpoint("orders", e => e.Handler<OrderSubmitted>(context =>
        {
            inbox.Add(context);
            return Task.CompletedTask;
        })));
        var (messageId, correlationId, conversationId, initiatorId) = (NewId.NextGuid(), NewId.NextGuid(), NewId.NextGuid(), NewId.NextGuid());
        var when = new DateTime(2026, 11, 23, 10, 0, 0, DateTimeKind.Utc);
        await bus.Bus.Publish(
            new OrderSubmitted(1),
            context =>
            {
                context.MessageId = messageId;
                context.CorrelationId = correlationId;
                context.ConversationId = conversationId;
                context.InitiatorId = initiatorId;
                context.Headers.Set("number", 42);
                context.Headers.Set("when", when);
                context.Headers.Set("text", "Größe");
                context.Headers.Set("nested", new OrderFound(1, "Ann"));
            },
            Cancellation);

        var received = await inbox.TakeAsync();
        Assert.Equal((messageId, correlationId, conversationId, initiatorId), (received.MessageId, received.CorrelationId, received.ConversationId, received.InitiatorId));
        Assert.Equal(42, received.Headers.Get<int>("number"));
        Assert.Equal(when, received.Headers.Get<DateTime>("when"));
        Assert.Equal("Größe", received.Headers.Get<string>("text"));
        Assert.Equal("Ann", received.Headers.Get<OrderFound>("nested")!.Customer);
        Assert.Equal("42", received.ReceiveContext.TransportHeaders.Get<string>("number"));
        Assert.Equal(messageId, received.ReceiveContext.GetMessageId());
    }
}

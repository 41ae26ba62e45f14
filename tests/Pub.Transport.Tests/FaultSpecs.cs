using System.Text;

namespace Pub.Transport.Tests;

public sealed class FaultMemorySpecs : FaultSpecs<MemoryStore>;

public sealed class FaultSqliteSpecs : FaultSpecs<SqliteStore>;

public abstract class FaultSpecs<TStore> : TransportSpec<TStore>
    where TStore : ITestStore, new()
{
    [Fact]
    public async Task Consume_Fails_GoesToTheErrorQueueWithTheReasonAndPublishesAFault()
    {
        var (faults, errors) = (new Inbox<Fault<OrderSubmitted>>(), new Inbox<ConsumeContext<OrderSubmitted>>());
        var bus = await StartAsync(cfg =>
        {
            cfg.ReceiveEndpoint("orders", e => e.Handler<OrderSubmitted>(_ => throw new InvalidOperationException("broken")));
            cfg.ReceiveEndpoint("faults", e => e.Handler<Fault<OrderSubmitted>>(context => Take(faults, context.Message)));
            cfg.ReceiveEndpoint("orders_error", e =>
            {
                e.ConfigureConsumeTopology = false;
                e.Handler<OrderSubmitted>(context => Take(errors, context));
            });
        });
        await bus.Bus.Publish(new OrderSubmitted(3), context => context.Headers.Set("tenant", "blue"), Cancellation);

        var fault = await faults.TakeAsync();
        Assert.Equal(3, fault.Message.Number);
        Assert.Equal("broken", Assert.Single(fault.Exceptions).Message);
        var error = await errors.TakeAsync();
        Assert.Equal(3, error.Message.Number);
        Assert.Equal("broken", error.ReceiveContext.TransportHeaders.Get<string>(MessageHeaders.FaultMessage));
        Assert.Equal("blue", error.Headers.Get<string>("tenant"));
        Assert.Equal(fault.FaultedMessageId, error.MessageId);
    }

    [Fact]
    public async Task Receive_NoConsumerForTheType_GoesToTheSkippedQueue()
    {
        var skipped = new Inbox<int>();
        var bus = await StartAsync(cfg =>
        {
            cfg.ReceiveEndpoint("orders", e => e.Handler<CheckOrder>(_ => Task.CompletedTask));
            cfg.ReceiveEndpoint("orders_skipped", e =>
            {
                e.ConfigureConsumeTopology = false;
                e.Handler<OrderSubmitted>(context => Take(skipped, context.Message.Number));
            });
        });
        await (await bus.Bus.GetSendEndpoint(new Uri("queue:orders"))).Send(new OrderSubmitted(4), Cancellation);

        Assert.Equal(4, await skipped.TakeAsync());
    }

    [Theory]
    [InlineData("application/vnd.masstransit+json", "{ no json")]
    [InlineData("application/x-unheard-of", "whatever")]
    public async Task Receive_BodyThatCannotBeRead_GoesToTheErrorQueueAsItCame(string contentType, string body)
    {
        var bus = await StartAsync(cfg => cfg.ReceiveEndpoint("orders", e => e.Handler<OrderSubmitted>(_ => Task.CompletedTask)));
        await bus.Client.Producer.PublishAsync(
            TopicName.Queue("orders"), new OutgoingMessage { ContentType = contentType, Body = Encoding.UTF8.GetBytes(body) }, Cancellation);

        var error = await PullAsync(bus, "orders_error");
        Assert.Equal(body, Encoding.UTF8.GetString(error.Body.Span));
        Assert.Equal(contentType, error.ContentType);
        Assert.Contains("Exception", error.Headers[MessageHeaders.FaultExceptionType], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Consume_RethrownFault_IsDeliveredAgainAndEndsInTheErrorQueue()
    {
        var counts = new Inbox<(int Count, bool Redelivered)>();
        var bus = await StartAsync(cfg => cfg.ReceiveEndpoint("orders", e =>
        {
            e.MaxDeliveryCount = 3;
            e.RethrowFaultedMessages();
            e.Handler<OrderSubmitted>(context =>
            {
                context.TryGetPayload<PubMessageContext>(out var pub);
                counts.Add((pub!.DeliveryCount, context.ReceiveContext.Redelivered));
                throw new InvalidOperationException("broken");
            });
        }));
        await bus.Bus.Publish(new OrderSubmitted(3), Cancellation);

        Assert.Equal([(1, false), (2, true), (3, true)], await counts.TakeAsync(3));
        var error = await PullAsync(bus, "orders_error");
        Assert.Equal("too-many-deliveries", error.Headers[PubHeaders.Reason]);
    }

    [Fact]
    public async Task Consume_RethrownFaultWithUnlockDelay_WaitsBeforeItComesBack()
    {
        var inbox = new Inbox<(int Count, DateTimeOffset At)>();
        var delay = TimeSpan.FromMilliseconds(400);
        var bus = await StartAsync(cfg => cfg.ReceiveEndpoint("orders", e =>
        {
            e.UnlockDelay = delay;
            e.RethrowFaultedMessages();
            e.Handler<OrderSubmitted>(context =>
            {
                context.TryGetPayload<PubMessageContext>(out var pub);
                inbox.Add((pub!.DeliveryCount, DateTimeOffset.UtcNow));
                return pub.DeliveryCount == 1 ? throw new InvalidOperationException("not yet") : Task.CompletedTask;
            });
        }));
        await bus.Bus.Publish(new OrderSubmitted(1), Cancellation);

        var deliveries = await inbox.TakeAsync(2);
        Assert.Equal([1, 2], deliveries.Select(delivery => delivery.Count));
        Assert.True(deliveries[1].At - deliveries[0].At >= delay - TimeSpan.FromMilliseconds(50));
    }

    [Fact]
    public async Task Consume_PastItsTimeToLiveWithDeadLettering_GoesToTheErrorQueue()
    {
        var bus = await StartAsync(_ => { });
        var endpoint = await bus.Bus.GetSendEndpoint(new Uri("queue:orders"));
        await endpoint.Send(new OrderSubmitted(1), context => context.TimeToLive = TimeSpan.FromMilliseconds(1), Cancellation);
        var handle = bus.Bus.ConnectReceiveEndpoint("orders", e =>
        {
            ((IPubReceiveEndpointConfigurator)e).DeadLetterExpiredMessages = true;
            e.Handler<OrderSubmitted>(_ => Task.CompletedTask);
        });
        await handle.Ready;

        Assert.Equal("expired", (await PullAsync(bus, "orders_error")).Headers[PubHeaders.Reason]);
    }

    [Fact]
    public async Task Consume_MessageRetry_TriesInPlace()
    {
        var attempts = new Inbox<int>();
        var bus = await StartAsync(cfg => cfg.ReceiveEndpoint("orders", e =>
        {
            e.UseMessageRetry(retry => retry.Immediate(2));
            e.Handler<OrderSubmitted>(context =>
            {
                attempts.Add(context.GetRetryAttempt());
                return context.GetRetryAttempt() < 2 ? throw new InvalidOperationException("not yet") : Task.CompletedTask;
            });
        }));
        await bus.Bus.Publish(new OrderSubmitted(1), Cancellation);

        Assert.Equal([0, 1, 2], await attempts.TakeAsync(3));
    }

    private static async Task<Message> PullAsync(TestBus bus, string queue)
    {
        await using var consumer = await bus.Client.SubscribeAsync(SubscriptionName.Queue(queue), cancellationToken: Cancellation);
        var delivery = Assert.Single(await consumer.PullAsync(1, TimeSpan.FromSeconds(30), Cancellation));
        delivery.Ack();
        return delivery.Message;
    }

    private static Task Take<T>(Inbox<T> inbox, T item)
    {
        inbox.Add(item);
        return Task.CompletedTask;
    }
}

using MassTransit.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Pub.Transport.Tests;

public sealed class PublishMemorySpecs : PublishSpecs<MemoryStore>;

public sealed class PublishSqliteSpecs : PublishSpecs<SqliteStore>;

public abstract class PublishSpecs<TStore> : TransportSpec<TStore>
    where TStore : ITestStore, new()
{
    [Fact]
    public async Task Publish_TwoEndpoints_EachReceivesIt()
    {
        var (first, second) = (new Inbox<int>(), new Inbox<int>());
        var bus = await StartAsync(cfg =>
        {
            cfg.ReceiveEndpoint("first", e => e.Handler<OrderSubmitted>(context => Take(first, context)));
            cfg.ReceiveEndpoint("second", e => e.Handler<OrderSubmitted>(context => Take(second, context)));
        });
        await bus.Bus.Publish(new OrderSubmitted(7), Cancellation);

        Assert.Equal(7, await first.TakeAsync());
        Assert.Equal(7, await second.TakeAsync());
        await bus.StopAsync();
        Assert.Empty(first.Rest());
        Assert.Empty(second.Rest());
        Assert.Empty(Logs.Errors);
    }

    [Fact]
    public async Task Publish_Hundred_AreStoredOnceAndConsumedOnce()
    {
        var inbox = new Inbox<int>();
        var bus = await StartAsync(cfg => cfg.ReceiveEndpoint("orders", e => e.Handler<OrderSubmitted>(context => Take(inbox, context))));
        await Task.WhenAll(Enumerable.Range(0, 100).Select(i => bus.Bus.Publish(new OrderSubmitted(i), Cancellation)));

        Assert.Equal(Enumerable.Range(0, 100), (await inbox.TakeAsync(100)).Order());
        await bus.StopAsync();
        Assert.Empty(inbox.Rest());
    }

    [Fact]
    public async Task Send_ShortAndFullAddress_ReachTheQueueOnly()
    {
        var (queue, topic) = (new Inbox<int>(), new Inbox<int>());
        var bus = await StartAsync(cfg =>
        {
            cfg.ReceiveEndpoint("input", e =>
            {
                e.ConfigureConsumeTopology = false;
                e.Handler<OrderSubmitted>(context => Take(queue, context));
            });
            cfg.ReceiveEndpoint("listener", e =>
            {
                e.ConfigureConsumeTopology = false;
                e.Subscribe("input");
                e.Handler<OrderSubmitted>(context => Take(topic, context));
            });
        });
        await (await bus.Bus.GetSendEndpoint(new Uri("queue:input"))).Send(new OrderSubmitted(1), Cancellation);
        await (await bus.Bus.GetSendEndpoint(new Uri("pub://default/input"))).Send(new OrderSubmitted(2), Cancellation);
        await (await bus.Bus.GetSendEndpoint(new Uri("topic:input"))).Send(new OrderSubmitted(3), Cancellation);
        await (await bus.Bus.GetSendEndpoint(new Uri("exchange:input"))).Send(new OrderSubmitted(4), Cancellation);

        Assert.Equal([1, 2], (await queue.TakeAsync(2)).Order());
        Assert.Equal([3, 4], (await topic.TakeAsync(2)).Order());
    }

    [Fact]
    public async Task Send_BeforeTheEndpointStarts_WaitsForIt()
    {
        var first = await StartAsync(_ => { });
        await (await first.Bus.GetSendEndpoint(new Uri("queue:later"))).Send(new OrderSubmitted(5), Cancellation);
        var inbox = new Inbox<int>();
        var handle = first.Bus.ConnectReceiveEndpoint("later", e => e.Handler<OrderSubmitted>(context => Take(inbox, context)));
        await handle.Ready;

        Assert.Equal(5, await inbox.TakeAsync());
    }

    [Fact]
    public async Task Request_TwoKindsOfResponse_TheClientTellsThemApart()
    {
        var bus = await StartAsync(
            x =>
            {
                x.AddConsumer<CheckOrderConsumer>();
                x.AddRequestClient<CheckOrder>();
            },
            (context, cfg) => cfg.ConfigureEndpoints(context));
        await using var scope = bus.Services.CreateAsyncScope();
        var client = scope.ServiceProvider.GetRequiredService<IRequestClient<CheckOrder>>();

        var found = await client.GetResponse<OrderFound, OrderMissing>(new CheckOrder(1), Cancellation);
        var missing = await client.GetResponse<OrderFound, OrderMissing>(new CheckOrder(2), Cancellation);

        Assert.True(found.Is(out Response<OrderFound>? order));
        Assert.Equal("Ann", order.Message.Customer);
        Assert.True(missing.Is(out Response<OrderMissing>? _));
        Assert.Equal("pub://default/" + "?temporary=true", WithoutName(order.SourceAddress is null ? null : order.DestinationAddress));
    }

    [Fact]
    public async Task Request_ConsumerFails_TheClientGetsTheFault()
    {
        var bus = await StartAsync(
            x =>
            {
                x.AddConsumer<CheckOrderConsumer>();
                x.AddRequestClient<CheckOrder>();
            },
            (context, cfg) => cfg.ConfigureEndpoints(context));
        await using var scope = bus.Services.CreateAsyncScope();
        var client = scope.ServiceProvider.GetRequiredService<IRequestClient<CheckOrder>>();

        var fault = await Assert.ThrowsAsync<RequestFaultException>(() => client.GetResponse<OrderFound>(new CheckOrder(-1), Cancellation));

        Assert.Contains("negative", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_NobodyAnswers_TimesOut()
    {
        var bus = await StartAsync(x => x.AddRequestClient<CheckOrder>(RequestTimeout.After(ms: 300)), (_, _) => { });
        await using var scope = bus.Services.CreateAsyncScope();
        var client = scope.ServiceProvider.GetRequiredService<IRequestClient<CheckOrder>>();

        await Assert.ThrowsAsync<RequestTimeoutException>(() => client.GetResponse<OrderFound>(new CheckOrder(1), Cancellation));
    }

    [Fact]
    public async Task TestHarness_UsingPub_SeesWhatIsConsumed()
    {
        await using var services = Services()
            .AddMassTransitTestHarness(x =>
            {
                x.AddConsumer<CheckOrderConsumer>();
                x.UsingPub((context, cfg) => cfg.ConfigureEndpoints(context));
            })
            .BuildServiceProvider(true);
        var harness = services.GetRequiredService<ITestHarness>();
        await harness.Start();
        var client = harness.GetRequestClient<CheckOrder>();

        var response = await client.GetResponse<OrderFound>(new CheckOrder(1), Cancellation);

        Assert.Equal("Ann", response.Message.Customer);
        Assert.True(await harness.Consumed.Any<CheckOrder>(Cancellation));
        Assert.True(await harness.GetConsumerHarness<CheckOrderConsumer>().Consumed.Any<CheckOrder>(Cancellation));
        Assert.True(await harness.Sent.Any<OrderFound>(Cancellation));
        await harness.Stop(Cancellation);
    }

    private static Task Take(Inbox<int> inbox, ConsumeContext<OrderSubmitted> context)
    {
        inbox.Add(context.Message.Number);
        return Task.CompletedTask;
    }

    private static string? WithoutName(Uri? address) => address?.GetLeftPart(UriPartial.Authority) + "/" + address?.Query;
}

public sealed class CheckOrderConsumer : IConsumer<CheckOrder>
{
    public Task Consume(ConsumeContext<CheckOrder> context) => context.Message.Number switch
    {
        1 => context.RespondAsync(new OrderFound(1, "Ann")),
        < 0 => throw new ArgumentException("negative"),
        var number => context.RespondAsync(new OrderMissing(number)),
    };
}

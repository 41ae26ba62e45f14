using Microsoft.Extensions.DependencyInjection;

namespace Pub.Transport.Tests;

/// <summary>Wrong input is refused before anything runs, in words that name it.</summary>
public class BadInputTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Bus_NoStoreRegistered_SaysWhatToCall()
    {
        await using var services = new ServiceCollection().AddLogging().AddMassTransit(x => x.UsingPub()).BuildServiceProvider();
        var e = Assert.ThrowsAny<Exception>(services.GetRequiredService<IBusControl>);
        Assert.Contains("AddPubInMemory", e.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bus_StoreOfAnotherName_SaysWhichIsMissing()
    {
        await using var services = new ServiceCollection().AddLogging().AddPubInMemory()
            .AddMassTransit(x => x.UsingPub((_, cfg) => cfg.Host(host => host.Store = "billing"))).BuildServiceProvider();
        var e = Assert.ThrowsAny<Exception>(services.GetRequiredService<IBusControl>);
        Assert.Contains("'billing'", e.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Bus_WithoutContainerAndStore_SaysWhatToCall()
    {
        var e = Assert.Throws<ConfigurationException>(() => Bus.Factory.CreateUsingPub(_ => { }));
        Assert.Contains("cfg.Host(client)", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bad name", "U+0020")]
    [InlineData("a/b", "U+002F")]
    [InlineData("vh:blue:orders", "virtual host")]
    public async Task Endpoint_NameThatIsNotAllowed_IsRefused(string name, string reason)
    {
        await using var client = PubClient.Create(new Storage.Memory.MemoryDocumentStore(), ownsStore: true);
        var e = Assert.Throws<ConfigurationException>(() => Bus.Factory.CreateUsingPub(cfg =>
        {
            cfg.Host(client);
            cfg.ReceiveEndpoint(name, _ => { });
        }));
        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Endpoint_OptionsOutOfRange_AreAllNamed()
    {
        await using var client = PubClient.Create(new Storage.Memory.MemoryDocumentStore(), ownsStore: true);
        var e = Assert.Throws<ConfigurationException>(() => Bus.Factory.CreateUsingPub(cfg =>
        {
            cfg.Host(client);
            cfg.ReceiveEndpoint("orders", endpoint =>
            {
                endpoint.MaxDeliveryCount = 0;
                endpoint.PrefetchBytes = 1;
            });
        }));
        Assert.Contains("MaxDeliveries", e.Message, StringComparison.Ordinal);
        Assert.Contains("PrefetchBytes", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bus_WithoutContainer_PublishesAndConsumes()
    {
        await using var client = PubClient.Create(new Storage.Memory.MemoryDocumentStore(), ownsStore: true);
        var inbox = new Inbox<int>();
        var bus = Bus.Factory.CreateUsingPub(cfg =>
        {
            cfg.Host(client);
            cfg.ReceiveEndpoint("orders", e => e.Handler<OrderSubmitted>(context =>
            {
                inbox.Add(context.Message.Number);
                return Task.CompletedTask;
            }));
        });
        await bus.StartAsync(Cancellation);
        await bus.Publish(new OrderSubmitted(1), Cancellation);
        Assert.Equal(1, await inbox.TakeAsync());
        await bus.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Bus_EndpointThatThisProcessReadsAlready_FailsToStartAndSaysWhy()
    {
        await using var client = PubClient.Create(new Storage.Memory.MemoryDocumentStore(), ownsStore: true);
        await using var other = await client.SubscribeAsync(SubscriptionName.Queue("orders"), cancellationToken: Cancellation);
        var bus = Bus.Factory.CreateUsingPub(cfg =>
        {
            cfg.Host(client);
            cfg.ReceiveEndpoint("orders", e => e.Handler<OrderSubmitted>(_ => Task.CompletedTask));
        });

        var e = await Assert.ThrowsAsync<ConnectionException>(() => bus.StartAsync(Cancellation));

        Assert.Contains("has a consumer of q:orders already", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Send_ToAnotherStore_IsRefused()
    {
        await using var client = PubClient.Create(new Storage.Memory.MemoryDocumentStore(), ownsStore: true);
        var bus = Bus.Factory.CreateUsingPub(cfg => cfg.Host(client));
        await bus.StartAsync(Cancellation);

        var e = await Assert.ThrowsAsync<PubEndpointAddressException>(async () =>
            await (await bus.GetSendEndpoint(new Uri("pub://elsewhere/orders"))).Send(new OrderSubmitted(1), Cancellation));

        Assert.Contains("elsewhere", e.Message, StringComparison.Ordinal);
        await bus.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Publish_OverTheLimit_SaysSoAndStoresNothing()
    {
        await using var client = PubClient.Create(new Storage.Memory.MemoryDocumentStore(), ownsStore: true);
        var bus = Bus.Factory.CreateUsingPub(cfg => cfg.Host(client));
        await bus.StartAsync(Cancellation);

        await Assert.ThrowsAsync<MessageTooLargeException>(() => bus.Publish(new OrderSubmitted(1, new string('x', 30_000_000)), Cancellation));
        await bus.StopAsync(Cancellation);
    }
}

using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Pub.Sqlite;

namespace Pub.Product.Tests.Registration;

public sealed class RegistrationTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly TemporaryDirectory _directory = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task AddPubInMemory_NothingElse_PublishesAndReceives()
    {
        await using var services = new ServiceCollection().AddPubInMemory().BuildServiceProvider();
        Assert.Equal("{}", await PublishAndReceiveAsync(services.GetRequiredService<PubClient>()));
        Assert.Same(services.GetRequiredService<PubClient>().Producer, services.GetRequiredService<Producer>());
        Assert.Same(services.GetRequiredService<PubClient>().Controller, services.GetRequiredService<Controller>());
    }

    [Fact]
    public async Task AddPubSqlite_StoresWithNames_AreApart()
    {
        await using var services = new ServiceCollection()
            .AddPubSqlite(_directory.File("pub.db"))
            .AddPubSqlite("orders", _directory.File("orders.db"))
            .AddPubInMemory("scratch")
            .BuildServiceProvider();
        var orders = services.GetRequiredKeyedService<PubClient>("orders");
        var queue = TopicName.Queue("q");
        await services.GetRequiredKeyedService<Producer>("orders").PublishAsync(queue, new OutgoingMessage { Body = "{}"u8.ToArray() }, Token);

        Assert.Equal([queue], (await orders.Controller.ListQueuesAsync(cancellationToken: Token)).Items);
        Assert.Empty((await services.GetRequiredService<Controller>().ListQueuesAsync(cancellationToken: Token)).Items);
        Assert.Empty((await services.GetRequiredKeyedService<Controller>("scratch").ListQueuesAsync(cancellationToken: Token)).Items);
        Assert.True(File.Exists(_directory.File("orders.db")));
    }

    [Fact]
    public void AddPub_SameNameTwice_Throws()
    {
        Assert.Throws<InvalidOperationException>(() => new ServiceCollection().AddPubInMemory().AddPubSqlite("pub.db"));
        Assert.Throws<InvalidOperationException>(() => new ServiceCollection().AddPubInMemory("a").AddPubSqlite("a", "pub.db"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a:b")]
    [InlineData("a/b")]
    [InlineData("producer")]
    [InlineData("Sqlite")]
    public void AddPub_NameNotAllowed_ThrowsArgumentException(string name) =>
        Assert.Throws<ArgumentException>(() => new ServiceCollection().AddPubInMemory(name));

    [Fact]
    public async Task Settings_OfConfiguration_ReachEachStore()
    {
        await using var services = WithConfiguration(
            new() { ["Pub:SessionTimeout"] = "00:00:20", ["Pub:Producer:KeylessAppends"] = "3", ["Pub:orders:SessionTimeout"] = "00:00:50", ["Pub:orders:Sqlite:Synchronous"] = "Relaxed" },
            registered => registered.AddPubInMemory().AddPubSqlite("orders", "orders.db"));
        var options = services.GetRequiredService<IOptionsMonitor<PubOptions>>();
        Assert.Equal(TimeSpan.FromSeconds(20), options.CurrentValue.SessionTimeout);
        Assert.Equal(3, options.CurrentValue.Producer.KeylessAppends);
        Assert.Equal(TimeSpan.FromSeconds(50), options.Get("orders").SessionTimeout);
        Assert.Equal(new ProducerOptions().KeylessAppends, options.Get("orders").Producer.KeylessAppends);
        Assert.Equal(SqliteSynchronous.Relaxed, services.GetRequiredService<IOptionsMonitor<SqliteStoreOptions>>().Get("orders").Synchronous);
    }

    [Fact]
    public async Task Settings_OfCode_WinOverConfiguration()
    {
        await using var services = WithConfiguration(
            new() { ["Pub:SessionTimeout"] = "00:00:20" }, registered => registered.AddPubInMemory(options => options.SessionTimeout = TimeSpan.FromSeconds(5)));
        Assert.Equal(TimeSpan.FromSeconds(5), services.GetRequiredService<IOptionsMonitor<PubOptions>>().CurrentValue.SessionTimeout);
    }

    [Fact]
    public async Task Settings_NotAllowed_AreAllNamedInOneMessageAtTheStart()
    {
        await using var services = WithConfiguration(
            new()
            {
                ["Pub:SessionTimeout"] = "soon",
                ["Pub:EntryCacheBytes"] = "-1",
                ["Pub:Producer:KeylessAppends"] = "0",
                ["Pub:Sqlite:Synchronous"] = "Sometimes",
                ["Pub:Sqlite:LogBytes"] = "1",
            },
            registered => registered.AddPubSqlite("pub.db"));

        // What a host does when it starts.
        var validator = services.GetRequiredService<IStartupValidator>();
        var message = Assert.ThrowsAny<Exception>(validator.Validate).ToString();
        Assert.All(["SessionTimeout is 'soon'", "EntryCacheBytes is -1", "KeylessAppends is 0", "Synchronous is 'Sometimes'", "LogBytes is 1"], fault => Assert.Contains(fault, message, StringComparison.Ordinal));

        // Without a host: at the first question for the client.
        var fault = Assert.Throws<OptionsValidationException>(services.GetRequiredService<PubClient>);
        Assert.All(["SessionTimeout is 'soon'", "EntryCacheBytes is -1", "KeylessAppends is 0"], part => Assert.Contains(part, fault.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task OpenAsync_DirectoryMissing_ThrowsUntilItIsThere()
    {
        var directory = _directory.File("later");
        await using var services = new ServiceCollection().AddPubSqlite(Path.Combine(directory, "pub.db")).BuildServiceProvider();
        var pub = services.GetRequiredService<PubClient>();
        await Assert.ThrowsAnyAsync<PubException>(() => pub.OpenAsync(Token));
        var report = await services.GetRequiredService<PubHealth>().CheckAsync(Token);
        Assert.False(report.IsHealthy);
        Assert.IsAssignableFrom<PubException>(report.StoreFault);

        Directory.CreateDirectory(directory);
        await pub.OpenAsync(Token);
        Assert.True((await services.GetRequiredService<PubHealth>().CheckAsync(Token)).IsHealthy);
    }

    [Fact]
    public async Task DisposeAsync_OfTheContainer_StopsConsumersAndTheNextGoesOnWithoutDuplicates()
    {
        var path = _directory.File("pub.db");
        var subscription = SubscriptionName.Queue("orders");
        Consumer consumer;
        await using (var first = new ServiceCollection().AddPubSqlite(path).BuildServiceProvider())
        {
            // Asked for before the client, so disposed of after it, were it disposable.
            var producer = first.GetRequiredService<Producer>();
            consumer = await first.GetRequiredService<PubClient>().SubscribeAsync(subscription, cancellationToken: Token);
            await producer.PublishAsync(TopicName.Queue("orders"), new OutgoingMessage { Body = "[1]"u8.ToArray() }, Token);
            await producer.PublishAsync(TopicName.Queue("orders"), new OutgoingMessage { Body = "[2]"u8.ToArray() }, Token);
            Assert.Single(await consumer.PullAsync(1, Limit, Token)).Ack();
        }

        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await consumer.PullAsync(1, Limit, Token));
        await using var second = new ServiceCollection().AddPubSqlite(path).BuildServiceProvider();
        var next = await second.GetRequiredService<PubClient>().SubscribeAsync(subscription, cancellationToken: Token);
        Assert.Single(await next.PullAsync(10, Limit, Token)).Ack();
        Assert.Empty(await next.PullAsync(10, TimeSpan.FromMilliseconds(200), Token));
    }

    private static async Task<string> PublishAndReceiveAsync(PubClient pub)
    {
        var consumer = await pub.SubscribeAsync(SubscriptionName.Queue("q"), cancellationToken: Token);
        await pub.Producer.PublishAsync(TopicName.Queue("q"), new OutgoingMessage { Body = "{}"u8.ToArray() }, Token);
        var delivery = Assert.Single(await consumer.PullAsync(10, Limit, Token));
        delivery.Ack();
        return Encoding.UTF8.GetString(delivery.Message.Body.Span);
    }

    private static ServiceProvider WithConfiguration(Dictionary<string, string?> values, Func<IServiceCollection, IServiceCollection> register)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(values).Build());
        return register(services).BuildServiceProvider();
    }
}

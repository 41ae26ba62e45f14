using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Pub.Transport.Tests;

public sealed class EndpointMemorySpecs : EndpointSpecs<MemoryStore>;

public sealed class EndpointSqliteSpecs : EndpointSpecs<SqliteStore>;

public abstract class EndpointSpecs<TStore> : TransportSpec<TStore>
    where TStore : ITestStore, new()
{
    [Fact]
    public async Task StartFrom_Beginning_AnEndpointThatComesLateGetsTheHistory()
    {
        var (early, late, tail) = (new Inbox<int>(), new Inbox<int>(), new Inbox<int>());
        var bus = await StartAsync(cfg => cfg.ReceiveEndpoint("early", e => e.Handler<OrderSubmitted>(context => Take(early, context))));
        await bus.Client.Controller.ChangeRetentionAsync(OrdersTopic, Retention.WhenSettledAndAfterTime, TimeSpan.FromDays(1), Cancellation);
        await bus.Bus.Publish(new OrderSubmitted(1), Cancellation);
        Assert.Equal(1, await early.TakeAsync());

        var first = bus.Bus.ConnectReceiveEndpoint("tail", e => e.Handler<OrderSubmitted>(context => Take(tail, context)));
        var second = bus.Bus.ConnectReceiveEndpoint("late", e =>
        {
            ((IPubReceiveEndpointConfigurator)e).StartFrom(StartAt.Beginning);
            e.Handler<OrderSubmitted>(context => Take(late, context));
        });
        await first.Ready;
        await second.Ready;
        await bus.Bus.Publish(new OrderSubmitted(2), Cancellation);

        Assert.Equal([1, 2], (await late.TakeAsync(2)).Order());
        Assert.Equal(2, await tail.TakeAsync());
    }

    [Fact]
    public async Task StopAndStart_OfTheBus_GoesOnWhereItStood()
    {
        var inbox = new Inbox<int>();
        var bus = await StartAsync(cfg => cfg.ReceiveEndpoint("orders", e => e.Handler<OrderSubmitted>(context => Take(inbox, context))));
        await bus.Bus.Publish(new OrderSubmitted(1), Cancellation);
        Assert.Equal(1, await inbox.TakeAsync());
        await bus.Bus.StopAsync(Cancellation);
        await bus.Client.Producer.PublishAsync(OrdersTopic, Envelope(2), Cancellation);

        await bus.Bus.StartAsync(Cancellation);
        await bus.Bus.Publish(new OrderSubmitted(3), Cancellation);

        Assert.Equal([2, 3], (await inbox.TakeAsync(2)).Order());
        await bus.StopAsync();
        Assert.Empty(inbox.Rest());
        Assert.Empty(Logs.Errors);
    }

    [Fact]
    public async Task ConnectReceiveEndpoint_StoppedAndStarted_MissesNothing()
    {
        var inbox = new Inbox<int>();
        var bus = await StartAsync(_ => { });
        var handle = bus.Bus.ConnectReceiveEndpoint("orders", e => e.Handler<OrderSubmitted>(context => Take(inbox, context)));
        await handle.Ready;
        await bus.Bus.Publish(new OrderSubmitted(1), Cancellation);
        Assert.Equal(1, await inbox.TakeAsync());
        await handle.StopAsync(Cancellation);
        await bus.Bus.Publish(new OrderSubmitted(2), Cancellation);

        handle = bus.Bus.ConnectReceiveEndpoint("orders", e => e.Handler<OrderSubmitted>(context => Take(inbox, context)));
        await handle.Ready;

        Assert.Equal(2, await inbox.TakeAsync());
    }

    /// <summary>Facts 1.6: what comes for a requester that is gone is dropped, makes no queue and faults nobody.</summary>
    [Fact]
    public async Task Send_ToATemporaryEndpointThatIsGone_IsDroppedAndMakesNothing()
    {
        var bus = await StartAsync(_ => { });
        var handle = bus.Bus.ConnectReceiveEndpoint(new TemporaryEndpointDefinition("reply"), null, e => e.Handler<OrderSubmitted>(_ => Task.CompletedTask));
        var address = (await handle.Ready).InputAddress;
        Assert.Equal("?temporary=true", address.Query);
        await handle.StopAsync(Cancellation);

        await (await bus.Bus.GetSendEndpoint(address)).Send(new OrderSubmitted(1), Cancellation);

        var queues = await bus.Client.Controller.ListQueuesAsync(cancellationToken: Cancellation);
        Assert.DoesNotContain(queues.Items, queue => queue.Name == Uri.UnescapeDataString(address.AbsolutePath[1..]));
    }

    [Fact]
    public async Task PurgeOnStartup_SettlesWhatWaited()
    {
        var inbox = new Inbox<int>();
        var bus = await StartAsync(_ => { });
        await (await bus.Bus.GetSendEndpoint(new Uri("queue:orders"))).Send(new OrderSubmitted(1), Cancellation);
        var handle = bus.Bus.ConnectReceiveEndpoint("orders", e =>
        {
            ((IPubReceiveEndpointConfigurator)e).PurgeOnStartup = true;
            e.Handler<OrderSubmitted>(context => Take(inbox, context));
        });
        await handle.Ready;
        await bus.Bus.Publish(new OrderSubmitted(2), Cancellation);

        Assert.Equal(2, await inbox.TakeAsync());
        await bus.StopAsync();
        Assert.Empty(inbox.Rest());
    }

    [Fact]
    public async Task DeployTopologyOnly_MakesTheSubscriptionsAndConsumesNothing()
    {
        var inbox = new Inbox<int>();
        var bus = await StartAsync(cfg =>
        {
            cfg.DeployTopologyOnly = true;
            cfg.DeployPublishTopology = true;
            cfg.Publish<PolymorphismSpecs<MemoryStore>.LeafEvent>(_ => { });
            cfg.ReceiveEndpoint("orders", e => e.Handler<OrderSubmitted>(context => Take(inbox, context)));
        });

        var subscriptions = await bus.Client.Controller.ListSubscriptionsAsync(cancellationToken: Cancellation);
        var topics = await bus.Client.Controller.ListTopicsAsync(cancellationToken: Cancellation);
        Assert.Contains(SubscriptionName.Queue("orders"), subscriptions.Items);
        Assert.Contains(topics.Items, topic => topic.Name.Contains("LeafEvent", StringComparison.Ordinal));
        await bus.Bus.Publish(new OrderSubmitted(1), Cancellation);
        await bus.StopAsync();
        Assert.Empty(inbox.Rest());
    }

    [Fact]
    public async Task HealthCheck_StartedAndStopped_IsHealthyThenUnhealthy()
    {
        var bus = await StartAsync(cfg => cfg.ReceiveEndpoint("orders", e => e.Handler<OrderSubmitted>(_ => Task.CompletedTask)));
        var health = bus.Services.GetRequiredService<HealthCheckService>();

        Assert.Equal(HealthStatus.Healthy, (await health.CheckHealthAsync(Cancellation)).Status);
        await bus.StopAsync();
        Assert.Equal(HealthStatus.Unhealthy, (await health.CheckHealthAsync(Cancellation)).Status);
    }

    [Fact]
    public async Task VirtualHosts_OnOneStore_ShareNothing()
    {
        var (blue, green) = (new Inbox<int>(), new Inbox<int>());
        await using var services = Services()
            .Configure<PubTransportOptions>(nameof(IBlueBus), options => options.VirtualHost = "blue")
            .Configure<PubTransportOptions>(nameof(IGreenBus), options => options.VirtualHost = "green")
            .AddMassTransit<IBlueBus>(x =>
            {
                x.DisableUsageTelemetry();
                x.UsingPub((_, cfg) => cfg.ReceiveEndpoint("orders", e => e.Handler<OrderSubmitted>(context => Take(blue, context))));
            })
            .AddMassTransit<IGreenBus>(x =>
            {
                x.DisableUsageTelemetry();
                x.UsingPub((_, cfg) => cfg.ReceiveEndpoint("orders", e => e.Handler<OrderSubmitted>(context => Take(green, context))));
            })
            .BuildServiceProvider();
        var (blueBus, greenBus) = (services.GetRequiredService<IBlueBus>(), services.GetRequiredService<IGreenBus>());
        foreach (var control in services.GetServices<MassTransit.Transports.IBusInstance>())
        {
            await control.BusControl.StartAsync(Cancellation);
        }

        await blueBus.Publish(new OrderSubmitted(1), Cancellation);
        await greenBus.Publish(new OrderSubmitted(2), Cancellation);

        Assert.Equal(1, await blue.TakeAsync());
        Assert.Equal(2, await green.TakeAsync());
        Assert.Equal("pub://default/blue", blueBus.Address.GetLeftPart(UriPartial.Path)[..18]);
        foreach (var control in services.GetServices<MassTransit.Transports.IBusInstance>())
        {
            await control.BusControl.StopAsync(Cancellation);
        }

        Assert.Empty(blue.Rest());
        Assert.Empty(green.Rest());
    }

    [Fact]
    public async Task TwoBuses_OnDifferentStores_AreBoundFromConfigurationByBusName()
    {
        var (blue, green) = (new Inbox<int>(), new Inbox<int>());
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Green:Store"] = "second" }).Build();
        var collection = Services();
        collection.AddSingleton<IConfiguration>(configuration);
        collection.AddPubInMemory("second");
        collection.AddOptions<PubTransportOptions>(nameof(IGreenBus)).BindConfiguration("Green");
        collection.AddMassTransit<IBlueBus>(x =>
        {
            x.DisableUsageTelemetry();
            x.UsingPub((_, cfg) => cfg.ReceiveEndpoint("orders", e => e.Handler<OrderSubmitted>(context => Take(blue, context))));
        });
        collection.AddMassTransit<IGreenBus>(x =>
        {
            x.DisableUsageTelemetry();
            x.UsingPub((_, cfg) => cfg.ReceiveEndpoint("orders", e => e.Handler<OrderSubmitted>(context => Take(green, context))));
        });
        await using var services = collection.BuildServiceProvider();
        var instances = services.GetServices<MassTransit.Transports.IBusInstance>().ToArray();
        await Task.WhenAll(instances.Select(instance => instance.BusControl.StartAsync(Cancellation)));
        await services.GetRequiredService<IBlueBus>().Publish(new OrderSubmitted(1), Cancellation);
        await services.GetRequiredService<IGreenBus>().Publish(new OrderSubmitted(2), Cancellation);

        Assert.Equal(1, await blue.TakeAsync());
        Assert.Equal(2, await green.TakeAsync());
        Assert.Equal("second", services.GetRequiredService<IGreenBus>().Address.Host);
        await Task.WhenAll(instances.Select(instance => instance.BusControl.StopAsync(Cancellation)));
        Assert.Empty(blue.Rest());
        Assert.Empty(green.Rest());
    }

    /// <summary>Losing the message cancels its consumer (facts, 4: on the SQL transport it does not).</summary>
    [Fact]
    public async Task Consume_MessageIsTakenAway_CancelsTheConsumerAndDeliversAgain()
    {
        var (started, cancelled) = (new Inbox<int>(), new Inbox<int>());
        var calls = 0;
        var bus = await StartAsync(cfg => cfg.ReceiveEndpoint("orders", e => e.Handler<OrderSubmitted>(async context =>
        {
            started.Add(context.Message.Number);
            if (Interlocked.Increment(ref calls) == 1)
            {
                var gone = new TaskCompletionSource();
                await using var registration = context.CancellationToken.Register(gone.SetResult);
                await gone.Task;
                cancelled.Add(context.Message.Number);
                context.CancellationToken.ThrowIfCancellationRequested();
            }
        })));
        await (await bus.Bus.GetSendEndpoint(new Uri("queue:orders"))).Send(new OrderSubmitted(5), Cancellation);
        Assert.Equal(5, await started.TakeAsync());

        await bus.Client.Controller.RewindAsync(SubscriptionName.Queue("orders"), StartAt.Beginning, cancellationToken: Cancellation);

        Assert.Equal(5, await cancelled.TakeAsync());
        Assert.Equal(5, await started.TakeAsync());
    }

    /// <summary>Facts 1.4, 2: another transport's second delivery under the same key is dropped while the first still runs.</summary>
    [Fact]
    public async Task Receive_SecondDeliveryWhileTheFirstStillRuns_IsDispatched()
    {
        var started = new Inbox<int>();
        var release = new TaskCompletionSource();
        var calls = 0;
        var bus = await StartAsync(cfg => cfg.ReceiveEndpoint("orders", e => e.Handler<OrderSubmitted>(context =>
        {
            started.Add(context.Message.Number);
            return Interlocked.Increment(ref calls) == 1 ? release.Task : Task.CompletedTask;
        })));
        await (await bus.Bus.GetSendEndpoint(new Uri("queue:orders"))).Send(new OrderSubmitted(5), Cancellation);
        Assert.Equal(5, await started.TakeAsync());

        await bus.Client.Controller.RewindAsync(SubscriptionName.Queue("orders"), StartAt.Beginning, cancellationToken: Cancellation);

        Assert.Equal(5, await started.TakeAsync());
        release.SetResult();
    }

    [Fact]
    public async Task ConcurrentMessageLimit_One_NeverOverlaps()
    {
        var inbox = new Inbox<int>();
        var (running, most) = (0, 0);
        var bus = await StartAsync(cfg => cfg.ReceiveEndpoint("orders", e =>
        {
            e.ConcurrentMessageLimit = 1;
            e.Handler<OrderSubmitted>(async context =>
            {
                most = Math.Max(most, Interlocked.Increment(ref running));
                await Task.Yield();
                Interlocked.Decrement(ref running);
                inbox.Add(context.Message.Number);
            });
        }));
        await Task.WhenAll(Enumerable.Range(0, 30).Select(i => bus.Bus.Publish(new OrderSubmitted(i), Cancellation)));

        Assert.Equal(Enumerable.Range(0, 30), (await inbox.TakeAsync(30)).Order());
        Assert.Equal(1, most);
    }

    [Fact]
    public async Task KillSwitch_TooManyFaults_StopsTheEndpointAndStartsItAgain()
    {
        var inbox = new Inbox<int>();
        var stops = new EndpointStops();
        var bus = await StartAsync(cfg =>
        {
            cfg.UseKillSwitch(options => options.SetActivationThreshold(4).SetTripThreshold(0.5).SetRestartTimeout(s: 1));
            cfg.ReceiveEndpoint("orders", e => e.Handler<OrderSubmitted>(context =>
                context.Message.Number < 0 ? throw new InvalidOperationException("broken") : Take(inbox, context)));
        });
        bus.Bus.ConnectReceiveEndpointObserver(stops);
        await Task.WhenAll(Enumerable.Range(1, 10).Select(i => bus.Bus.Publish(new OrderSubmitted(-i), Cancellation)));
        await stops.Stopped.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
        await bus.Bus.Publish(new OrderSubmitted(7), Cancellation);

        Assert.Equal(7, await inbox.TakeAsync());
    }

    [Fact]
    public async Task Activities_OfSendAndReceive_NameTheSystemAndJoinOneTrace()
    {
        var activities = new System.Collections.Concurrent.ConcurrentQueue<System.Diagnostics.Activity>();
        using var listener = new System.Diagnostics.ActivityListener
        {
            ShouldListenTo = source => source.Name == "MassTransit",
            Sample = (ref System.Diagnostics.ActivityCreationOptions<System.Diagnostics.ActivityContext> _) => System.Diagnostics.ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activities.Enqueue,
        };
        System.Diagnostics.ActivitySource.AddActivityListener(listener);
        var traces = new Inbox<string?>();
        var bus = await StartAsync(cfg => cfg.ReceiveEndpoint("orders", e => e.Handler<OrderSubmitted>(_ =>
        {
            traces.Add(System.Diagnostics.Activity.Current?.TraceId.ToString());
            return Task.CompletedTask;
        })));
        await bus.Bus.Publish(new OrderSubmitted(7), Cancellation);
        var trace = await traces.TakeAsync();
        await bus.StopAsync();

        var sent = Assert.Single(activities, activity => activity.TraceId.ToString() == trace && activity.Kind == System.Diagnostics.ActivityKind.Producer);
        Assert.Equal("pub", sent.GetTagItem("messaging.system"));
        Assert.Contains(activities, activity => activity.TraceId.ToString() == trace && activity.Kind == System.Diagnostics.ActivityKind.Consumer);
    }

    [Fact]
    public async Task TwoInstances_OnOneStore_ShareTheWorkAndAnswerEachOther()
    {
        Assert.SkipUnless(TStore.IsShared, "the store is this process's alone");
        var inbox = new Inbox<int>();
        var one = await StartAsync(cfg => cfg.ReceiveEndpoint("orders", e => e.Handler<OrderSubmitted>(context => Take(inbox, context))));
        var two = await StartAsync(cfg =>
        {
            cfg.ReceiveEndpoint("orders", e => e.Handler<OrderSubmitted>(context => Take(inbox, context)));
            cfg.ReceiveEndpoint("check", e => e.Consumer<CheckOrderConsumer>());
        });
        var response = await one.Bus.CreateClientFactory().CreateRequestClient<CheckOrder>().GetResponse<OrderFound>(new CheckOrder(1), Cancellation);
        Assert.Equal("Ann", response.Message.Customer);

        await Task.WhenAll(Enumerable.Range(0, 100).Select(i => one.Bus.Publish(new OrderSubmitted(i), context => context.SetPartitionKey($"k{i}"), Cancellation)));
        var received = await inbox.TakeAsync(100);
        await one.StopAsync();
        await two.StopAsync();
        Assert.Empty(inbox.Rest());
        Assert.Equal(Enumerable.Range(0, 100), received.Order());
    }

    private static TopicName OrdersTopic => TopicName.Topic("Pub.Transport.Tests:OrderSubmitted");

    private static OutgoingMessage Envelope(int number) => new()
    {
        ContentType = "application/vnd.masstransit+json",
        Body = Encoding.UTF8.GetBytes(
            $$"""{"messageId":"{{NewId.NextGuid()}}","messageType":["urn:message:Pub.Transport.Tests:OrderSubmitted"],"message":{"number": {{number}} } }"""),
    };

    private static Task Take(Inbox<int> inbox, ConsumeContext<OrderSubmitted> context)
    {
        inbox.Add(context.Message.Number);
        return Task.CompletedTask;
    }
}

internal sealed class EndpointStops : IReceiveEndpointObserver
{
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Stopped => _stopped.Task;

    public Task Ready(ReceiveEndpointReady ready) => Task.CompletedTask;

    public Task Stopping(ReceiveEndpointStopping stopping) => Task.CompletedTask;

    public Task Completed(ReceiveEndpointCompleted completed)
    {
        _stopped.TrySetResult();
        return Task.CompletedTask;
    }

    public Task Faulted(ReceiveEndpointFaulted faulted) => Task.CompletedTask;
}

public interface IBlueBus : IBus;

public interface IGreenBus : IBus;

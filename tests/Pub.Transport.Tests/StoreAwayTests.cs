using MassTransit.PubTransport.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace Pub.Transport.Tests;

/// <summary>The store is away when the bus starts, or goes away while it runs.</summary>
public class StoreAwayTests
{
    private readonly SwitchStore _store = new();
    private readonly Inbox<int> _inbox = new();
    private readonly LogList _logs = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_StoreIsAway_WaitsSaysSoAndStarts()
    {
        _store.IsAway = true;
        await using var services = Build();
        var bus = services.GetRequiredService<IBusControl>();
        var starting = bus.StartAsync(Cancellation);
        await UntilAsync("somebody says so", () => Task.FromResult(_logs.Warnings.Any(text => text.Contains("away", StringComparison.Ordinal)) || Health(bus) == BusHealthStatus.Unhealthy));
        Assert.False(starting.IsCompleted);

        _store.IsAway = false;
        await starting;
        await bus.Publish(new OrderSubmitted(1), Cancellation);

        Assert.Equal(1, await _inbox.TakeAsync());
        await bus.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Running_StoreGoesAwayAndComesBack_HealthTurnsRedAndGreenAndNothingIsLost()
    {
        await using var services = Build();
        var bus = services.GetRequiredService<IBusControl>();
        await bus.StartAsync(Cancellation);
        var health = services.GetRequiredService<HealthCheckService>();
        await bus.Publish(new OrderSubmitted(1), Cancellation);
        Assert.Equal(1, await _inbox.TakeAsync());

        _store.IsAway = true;
        var publishing = bus.Publish(new OrderSubmitted(2), Cancellation);
        await UntilAsync("health is red", async () => (await health.CheckHealthAsync(Cancellation)).Status != HealthStatus.Healthy);
        Assert.False(publishing.IsCompleted);
        _store.IsAway = false;
        await publishing;

        Assert.Equal(2, await _inbox.TakeAsync());
        await UntilAsync("health is green", async () => (await health.CheckHealthAsync(Cancellation)).Status == HealthStatus.Healthy);
        await bus.StopAsync(Cancellation);
        Assert.Empty(_inbox.Rest());
    }

    /// <summary>A failed message is to be written to the endpoint's own queue, and cannot be: it comes back when it can.</summary>
    [Fact]
    public async Task Consume_FailsWhileTheStoreIsAway_IsDeliveredAgain()
    {
        await using var services = Build((context, calls) =>
        {
            _store.IsAway |= calls == 1;
            return calls == 1 ? throw new InvalidOperationException("broken, and the store with it") : Take(context);
        });
        var bus = services.GetRequiredService<IBusControl>();
        await bus.StartAsync(Cancellation);
        await bus.Publish(new OrderSubmitted(4), Cancellation);
        await UntilAsync("health is red", () => Task.FromResult(Health(bus) != BusHealthStatus.Healthy));
        _store.IsAway = false;

        Assert.Equal(4, await _inbox.TakeAsync());
        await bus.StopAsync(Cancellation);
        Assert.Empty(_inbox.Rest());
    }

    private Task Take(ConsumeContext<OrderSubmitted> context)
    {
        _inbox.Add(context.Message.Number);
        return Task.CompletedTask;
    }

    private static BusHealthStatus Health(IBusControl bus) => bus.CheckHealth().Status;

    private static async Task UntilAsync(string reason, Func<Task<bool>> condition)
    {
        for (var attempt = 0; attempt < 600; attempt++)
        {
            if (await condition())
            {
                return;
            }

            await Task.Delay(50, Cancellation);
        }

        Assert.Fail($"Waited in vain until {reason}.");
    }

    private ServiceProvider Build(Func<ConsumeContext<OrderSubmitted>, int, Task>? handler = null)
    {
        var calls = 0;
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.AddProvider(_logs));
        services.AddPub(
            new StoreRegistration { MaxDocumentBytes = _store.MaxDocumentBytes, OpenAsync = OpenAsync },
            options => options.Producer.PublishTimeout = TimeSpan.FromSeconds(handler is null ? 30 : 1));
        services.AddMassTransit(x =>
        {
            x.DisableUsageTelemetry();
            x.UsingPub((_, cfg) =>
            {
                cfg.Host(host => ((PubHostSettings)host).Health.Interval = TimeSpan.FromMilliseconds(50));
                cfg.ReceiveEndpoint("orders", e =>
                {
                    if (handler is not null)
                    {
                        e.UnlockDelay = TimeSpan.FromMilliseconds(100);
                        e.RethrowFaultedMessages();
                    }

                    e.Handler<OrderSubmitted>(context => handler is null ? Take(context) : handler(context, Interlocked.Increment(ref calls)));
                });
            });
        });
        return services.BuildServiceProvider();
    }

    private ValueTask<Storage.IDocumentStore> OpenAsync(IServiceProvider provider, CancellationToken cancellationToken) =>
        _store.IsAway ? throw new StoreUnavailableException("The store is away.") : new(_store);
}

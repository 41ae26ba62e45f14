using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Pub.Transport.Tests;

/// <summary>Base of the specs: a store of its own for each test, and buses on it.</summary>
public abstract class TransportSpec<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private readonly TStore _store = new();
    private readonly List<TestBus> _buses = [];

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    protected LogList Logs { get; } = new();

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        foreach (var bus in _buses)
        {
            await bus.DisposeAsync();
        }

        _store.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>A bus with handlers only, without a container's consumers.</summary>
    protected Task<TestBus> StartAsync(Action<IPubBusFactoryConfigurator> configure, Action<IServiceCollection>? services = null) =>
        StartAsync(_ => { }, (_, bus) => configure(bus), services);

    protected async Task<TestBus> StartAsync(
        Action<IBusRegistrationConfigurator> registration, Action<IBusRegistrationContext, IPubBusFactoryConfigurator> configure, Action<IServiceCollection>? services = null)
    {
        var bus = await TestBus.StartAsync(Build(registration, configure, services), Cancellation);
        _buses.Add(bus);
        return bus;
    }

    protected ServiceProvider Build(
        Action<IBusRegistrationConfigurator> registration, Action<IBusRegistrationContext, IPubBusFactoryConfigurator> configure, Action<IServiceCollection>? services = null)
    {
        var collection = Services();
        services?.Invoke(collection);
        collection.AddMassTransit(x =>
        {
            x.DisableUsageTelemetry();
            registration(x);
            x.UsingPub(configure);
        });
        return collection.BuildServiceProvider();
    }

    protected ServiceCollection Services()
    {
        var collection = new ServiceCollection();
        collection.AddLogging(logging => logging.AddProvider(Logs));
        _store.Register(collection);
        return collection;
    }
}

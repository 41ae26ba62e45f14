using Microsoft.Extensions.DependencyInjection;

namespace Pub.Transport.Tests;

/// <summary>A started bus with its container, as an application has them.</summary>
public sealed class TestBus : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private bool _isStopped;

    private TestBus(ServiceProvider services) => _services = services;

    public IServiceProvider Services => _services;

    public IBusControl Bus => _services.GetRequiredService<IBusControl>();

    public PubClient Client => _services.GetRequiredService<PubClient>();

    public static async Task<TestBus> StartAsync(ServiceProvider services, CancellationToken cancellationToken)
    {
        var bus = new TestBus(services);
        await bus.Bus.StartAsync(cancellationToken);
        return bus;
    }

    public async Task StopAsync()
    {
        if (!_isStopped)
        {
            _isStopped = true;
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            await Bus.StopAsync(limit.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _services.DisposeAsync();
    }
}

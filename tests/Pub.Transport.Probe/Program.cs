using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace Pub.Transport.Probe;

/// <summary>Numbered work.</summary>
public record Work(int Number);

/// <summary>
/// An instance of a service in a process of its own: consumes <see cref="Work"/> from the queue <c>work</c> of a SQLite file, writes each number on a line
/// when it is done, and lives until it is killed or its input ends.
/// </summary>
public static class Program
{
    /// <summary>How the probe and the test that starts it use the store.</summary>
    public static IServiceCollection AddStore(this IServiceCollection services, string path) => services
        .AddLogging()
        .AddPubSqlite(path, options => options.SessionTimeout = TimeSpan.FromSeconds(3));

    /// <summary>The file's path is the only argument.</summary>
    public static async Task Main(string[] arguments)
    {
        var services = new ServiceCollection().AddStore(arguments[0]);
        services.AddMassTransit(x =>
        {
            x.DisableUsageTelemetry();
            x.UsingPub((_, cfg) => cfg.ReceiveEndpoint("work", e =>
            {
                e.ConcurrentMessageLimit = 4;
                e.Handler<Work>(async context =>
                {
                    // slow enough to be killed before it is through
                    await Task.Delay(20, context.CancellationToken);
                    Console.WriteLine(context.Message.Number);
                });
            }));
        });
        await using var provider = services.BuildServiceProvider();
        var bus = provider.GetRequiredService<IBusControl>();
        await bus.StartAsync();
        Console.WriteLine("ready");
        while (await Console.In.ReadLineAsync() is not null)
        {
            // until the input ends
        }

        await bus.StopAsync();
    }
}

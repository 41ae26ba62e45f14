using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Pub.Transport.Probe;

namespace Pub.Transport.Tests;

/// <summary>Two instances in two processes on one SQLite file; one of them is killed while it consumes.</summary>
public sealed class KilledInstanceTests : IDisposable
{
    private const int Count = 1_000;
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("pub-transport-");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Kill_WhileConsuming_TheOtherInstanceConsumesTheRest()
    {
        var path = Path.Combine(_directory.FullName, "pub.db");
        var (here, there) = (new ConcurrentDictionary<int, bool>(), new ConcurrentDictionary<int, bool>());
        using var probe = Start(path);
        Assert.Equal("ready", await probe.StandardOutput.ReadLineAsync(Cancellation));
        var all = new TaskCompletionSource();
        await using var services = Build(path);
        var bus = services.GetRequiredService<IBusControl>();
        await bus.StartAsync(Cancellation);
        await Task.WhenAll(Enumerable.Range(0, Count).Select(number => bus.Publish(new Work(number), Cancellation)));
        for (var line = 0; line < 20; line++)
        {
            there[int.Parse((await probe.StandardOutput.ReadLineAsync(Cancellation))!, CultureInfo.InvariantCulture)] = true;
        }

        var handle = bus.ConnectReceiveEndpoint("work", e => e.Handler<Work>(context =>
        {
            here[context.Message.Number] = true;
            Check();
            return Task.CompletedTask;
        }));
        await handle.Ready;
        probe.Kill();
        while (await probe.StandardOutput.ReadLineAsync(Cancellation) is { Length: > 0 } line && int.TryParse(line, CultureInfo.InvariantCulture, out var number))
        {
            there[number] = true;
        }

        Check();
        await all.Task.WaitAsync(TimeSpan.FromSeconds(60), Cancellation);
        Assert.NotEmpty(here);
        await bus.StopAsync(Cancellation);

        void Check()
        {
            if (here.Keys.Union(there.Keys).Count() == Count)
            {
                all.TrySetResult();
            }
        }
    }

    public void Dispose()
    {
        try
        {
            _directory.Delete(recursive: true);
        }
        catch (IOException)
        {
            // the killed process may still be closing the file
        }
    }

    private static ServiceProvider Build(string path)
    {
        var services = new ServiceCollection().AddStore(path);
        services.AddMassTransit(x =>
        {
            x.DisableUsageTelemetry();
            x.UsingPub();
        });
        return services.BuildServiceProvider();
    }

    private static Process Start(string path) => Process.Start(new ProcessStartInfo("dotnet", [typeof(Program).Assembly.Location, path])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
    })!;
}

using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Pub.Benchmarks;

/// <summary>A lone message: published when the one before was handled. From the call of publish to the handler's first line.</summary>
internal static class Latency
{
    /// <summary>Publisher and handler in one process, at once one after another.</summary>
    public static async Task<LatencyResult> MeasureAsync(string storeName, int warmUp, int messages)
    {
        await using var store = await BenchmarkStore.OpenAsync(storeName);
        await using var client = PubClient.Create(store.Counting);
        var topic = TopicName.Topic("lone");
        var consumer = await client.SubscribeAsync(SubscriptionName.Plain("lone"), options => options.Read(topic));
        var latencies = new List<double>();
        var handled = new SemaphoreSlim(0);
        var running = consumer.RunAsync((delivery, _) =>
        {
            latencies.Add(SentAt(delivery.Message.Body));
            handled.Release();
            return Task.CompletedTask;
        });
        StoreCounts before = default;
        for (var i = 0; i < warmUp + messages; i++)
        {
            if (i == warmUp)
            {
                latencies.Clear();
                before = store.Counting.Counts;
            }

            await client.Producer.PublishAsync(topic, Stamped());
            await handled.WaitAsync();
        }

        // Each message's own cursor write, and nothing of the next.
        await Task.Delay(200);
        var counts = store.Counting.Counts - before;
        await consumer.StopAsync();
        await running;
        return LatencyResult.From(storeName, "one process", latencies, (double)counts.Operations / messages);
    }

    /// <summary>
    /// Lone messages with a pause between them, so that each finds everything written: the operations of one message. Trimming is put off: what it reads and
    /// removes is by time, not by message.
    /// </summary>
    public static async Task<double> OperationsAsync(string storeName, int messages)
    {
        await using var store = await BenchmarkStore.OpenAsync(storeName);
        await using var client = PubClient.Create(store.Counting, new PubOptions { Trimming = { TrimInterval = TimeSpan.FromHours(1) } });
        var topic = TopicName.Topic("lone");
        var consumer = await client.SubscribeAsync(SubscriptionName.Plain("lone"), options => options.Read(topic));
        var running = consumer.RunAsync((_, _) => Task.CompletedTask);
        await client.Producer.PublishAsync(topic, Stamped());
        await Task.Delay(1_000);
        var before = store.Counting.Counts;
        for (var i = 0; i < messages; i++)
        {
            await client.Producer.PublishAsync(topic, Stamped());
            await Task.Delay(100);
        }

        var counts = store.Counting.Counts - before;
        await consumer.StopAsync();
        await running;
        return (double)counts.Operations / messages;
    }

    /// <summary>The handler in a second process on the same SQLite file; a message every 50 ms.</summary>
    public static async Task<LatencyResult> AcrossProcessesAsync(int messages, TimeSpan pause)
    {
        await using var store = await BenchmarkStore.OpenAsync("sqlite");
        using var child = ChildProcess.Start("latency-child", store.Path!, messages.ToString(CultureInfo.InvariantCulture));
        await child.ReadAsync();
        await using var client = PubClient.Create(store.Counting);
        var topic = TopicName.Topic("lone");
        for (var i = 0; i < messages; i++)
        {
            await client.Producer.PublishAsync(topic, Stamped());
            await Task.Delay(pause);
        }

        var parts = (await child.ReadAsync()).Split(' ');
        await child.EndAsync();
        return LatencyResult.From(
            "sqlite", $"two processes, every {pause.TotalMilliseconds} ms", [.. parts.Select(part => double.Parse(part, CultureInfo.InvariantCulture))], double.NaN);
    }

    public static async Task ChildAsync(string path, int messages)
    {
        await using var store = await Sqlite.SqliteDocumentStore.OpenAsync(new Sqlite.SqliteStoreOptions { Path = path });
        await using var client = PubClient.Create(store);
        var topic = TopicName.Topic("lone");
        var consumer = await client.SubscribeAsync(SubscriptionName.Plain("lone"), options => options.Read(topic));
        Console.WriteLine("ready");
        var latencies = new List<double>();
        await foreach (var delivery in consumer.ReadAllAsync())
        {
            latencies.Add(SentAt(delivery.Message.Body));
            delivery.Ack();
            if (latencies.Count == messages)
            {
                break;
            }
        }

        Console.WriteLine(string.Join(' ', latencies.Select(latency => latency.ToString("F4", CultureInfo.InvariantCulture))));
    }

    /// <summary>
    /// What a process with some subscriptions costs while nothing comes: the share of one core, of a second process on the same file. Without tiered compilation:
    /// the compiler, which goes on for minutes after the start, would be most of it.
    /// </summary>
    public static async Task<double> IdleAsync(int subscriptions, TimeSpan duration)
    {
        await using var store = await BenchmarkStore.OpenAsync("sqlite");
        using var child = ChildProcess.Start([("DOTNET_TieredCompilation", "0")], "idle-child", store.Path!, subscriptions.ToString(CultureInfo.InvariantCulture));
        await child.ReadAsync();
        await Task.Delay(TimeSpan.FromSeconds(8));
        var before = child.CpuTime;
        await Task.Delay(duration);
        return (child.CpuTime - before) / duration;
    }

    public static async Task IdleChildAsync(string path, int subscriptions)
    {
        await using var store = await Sqlite.SqliteDocumentStore.OpenAsync(new Sqlite.SqliteStoreOptions { Path = path });
        await using var client = PubClient.Create(store);
        for (var i = 0; i < subscriptions; i++)
        {
            var topic = TopicName.Topic($"idle-{i}");
            var consumer = await client.SubscribeAsync(SubscriptionName.Plain($"idle-{i}"), options => options.Read(topic));
            _ = consumer.RunAsync((_, _) => Task.CompletedTask);
        }

        Console.WriteLine("ready");
        await Console.In.ReadLineAsync();
    }

    private static OutgoingMessage Stamped() =>
        new() { Body = Encoding.ASCII.GetBytes($$"""{"at":{{Stopwatch.GetTimestamp()}}}""") };

    /// <summary>Milliseconds since the stamp; the clock is the machine's monotonic one, shared by its processes.</summary>
    private static double SentAt(ReadOnlyMemory<byte> body)
    {
        var now = Stopwatch.GetTimestamp();
        var at = long.Parse(Encoding.ASCII.GetString(body.Span[6..^1]), CultureInfo.InvariantCulture);
        return (now - at) * 1000.0 / Stopwatch.Frequency;
    }
}

internal sealed record LatencyResult(string Store, string Where, int Messages, double P50, double P95, double P99, double OperationsPerMessage)
{
    public static LatencyResult From(string store, string where, IReadOnlyList<double> milliseconds, double operations)
    {
        var sorted = milliseconds.Order().ToArray();
        return new LatencyResult(store, where, sorted.Length, At(0.5), At(0.95), At(0.99), operations);

        double At(double share) => sorted[(int)((sorted.Length - 1) * share)];
    }
}

using System.Diagnostics;
using System.Globalization;

namespace Pub.Benchmarks;

/// <summary>
/// A SQLite file with a backlog, and a consumer that starts on it in a fresh process while 64 publishers go on: how soon the first message comes, how
/// many a second are settled, how much memory that takes; against the same with a backlog of one message.
/// </summary>
internal static class Backlog
{
    private const string Name = "backlog";

    public static async Task<BacklogResult> MeasureAsync(int backlog, int settle)
    {
        await using var store = await BenchmarkStore.OpenAsync("sqlite");
        await FillAsync(store, backlog);
        using var child = ChildProcess.Start("backlog-child", store.Path!, settle.ToString(CultureInfo.InvariantCulture), backlog.ToString(CultureInfo.InvariantCulture));
        var parts = (await child.ReadAsync()).Split(' ');
        await child.EndAsync();
        return new BacklogResult(backlog, Number(parts[0]), Number(parts[1]), Number(parts[2]));
    }

    public static async Task ChildAsync(string path, int settle, int backlog)
    {
        var clock = Stopwatch.StartNew();
        await using var store = await Sqlite.SqliteDocumentStore.OpenAsync(new Sqlite.SqliteStoreOptions { Path = path });
        await using var client = PubClient.Create(store);
        var consumer = await client.SubscribeAsync(SubscriptionName.Queue(Name), options => options.Concurrency = 64);
        var counter = new SettledCounter();
        TimeSpan? first = null;
        var running = consumer.RunAsync((_, _) =>
        {
            first ??= clock.Elapsed;
            counter.Add();
            return Task.CompletedTask;
        });
        await counter.WaitForAsync(1);

        // Warm first, then the round that counts.
        await RoundAsync(client, counter, 60_000, backlog);
        var round = Stopwatch.StartNew();
        await RoundAsync(client, counter, settle, backlog);
        var rate = settle / round.Elapsed.TotalSeconds;
        var peak = Process.GetCurrentProcess().PeakWorkingSet64 / 1048576.0;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{first!.Value.TotalMilliseconds:F0} {rate:F0} {peak:F0}"));
        await consumer.StopAsync();
        await running;
    }

    /// <summary>With a backlog the publishers add as much as is settled meanwhile; without one they must.</summary>
    private static async Task RoundAsync(PubClient client, SettledCounter counter, int messages, int backlog)
    {
        var settled = counter.WaitForAsync(messages);
        var next = 0;
        var body = Bodies.OfSize(200);
        await Task.WhenAll([.. Enumerable.Range(0, Throughput.Publishers).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) <= messages && (backlog <= 1 || !settled.IsCompleted))
            {
                await client.Producer.PublishAsync(TopicName.Queue(Name), new OutgoingMessage { Body = body });
            }
        })), settled]);
    }

    private static async Task FillAsync(BenchmarkStore store, int backlog)
    {
        await using var client = PubClient.Create(store.Inner);
        var body = Bodies.OfSize(200);
        for (var sent = 0; sent < backlog;)
        {
            var batch = Math.Min(10_000, backlog - sent);
            await client.Producer.PublishAsync(
                TopicName.Queue(Name), [.. Enumerable.Range(0, batch).Select(_ => new OutgoingMessage { Body = body })]);
            sent += batch;
        }
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}

internal sealed record BacklogResult(int Backlog, double FirstMilliseconds, double Rate, double PeakMegabytes);

using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Pub.Benchmarks;

/// <summary>
/// Two processes share a subscription on one SQLite file; one stops or is killed while a message comes every 5 ms: how long the longest wait of a
/// message is until the other has it, and how many come twice.
/// </summary>
internal static class HandOver
{
    private const string Name = "handover";

    public static async Task<HandOverResult> MeasureAsync(bool kill, TimeSpan sessionTimeout)
    {
        await using var store = await BenchmarkStore.OpenAsync("sqlite");
        await using var client = PubClient.Create(store.Inner, new PubOptions { SessionTimeout = sessionTimeout });
        var received = new ConcurrentDictionary<string, int>();
        var longest = TimeSpan.Zero;
        var gate = new Lock();
        using var child = ChildProcess.Start("handover-child", store.Path!, sessionTimeout.TotalMilliseconds.ToString(CultureInfo.InvariantCulture));
        await child.ReadAsync();
        var consumer = await client.SubscribeAsync(SubscriptionName.Queue(Name));
        var running = consumer.RunAsync((delivery, _) =>
        {
            received.AddOrUpdate(delivery.Message.Id, 1, (_, count) => count + 1);
            var wait = TimeProvider.System.GetUtcNow() - delivery.Message.Sent;
            lock (gate)
            {
                longest = wait > longest ? wait : longest;
            }

            return Task.CompletedTask;
        });
        while (consumer.HeldLeases.Count != 8)
        {
            await Task.Delay(20);
        }

        await PublishForAsync(client, TimeSpan.FromSeconds(1));
        lock (gate)
        {
            longest = TimeSpan.Zero;
        }

        var publishing = PublishForAsync(client, (kill ? sessionTimeout : TimeSpan.Zero) + TimeSpan.FromSeconds(4));
        if (kill)
        {
            child.Kill();
        }
        else
        {
            await child.SignalAsync();
        }

        var published = await publishing;
        await Task.Delay(1_000);
        var settledByChild = new HashSet<string>();
        if (!kill)
        {
            for (var line = await child.ReadAsync(); line != "end"; line = await child.ReadAsync())
            {
                settledByChild.Add(line);
            }
        }

        await consumer.StopAsync();
        await running;
        var twice = received.Count(pair => pair.Value > 1 || settledByChild.Contains(pair.Key));
        var lost = kill ? published.Count(id => !received.ContainsKey(id)) : published.Count(id => !received.ContainsKey(id) && !settledByChild.Contains(id));
        return new HandOverResult(kill ? "killed" : "stopped", sessionTimeout, longest, twice, lost);
    }

    public static async Task ChildAsync(string path, double sessionMilliseconds)
    {
        await using var store = await Sqlite.SqliteDocumentStore.OpenAsync(new Sqlite.SqliteStoreOptions { Path = path });
        var client = PubClient.Create(store, new PubOptions { SessionTimeout = TimeSpan.FromMilliseconds(sessionMilliseconds) });
        var consumer = await client.SubscribeAsync(SubscriptionName.Queue(Name));
        var settled = new ConcurrentQueue<string>();
        var running = consumer.RunAsync((delivery, _) =>
        {
            settled.Enqueue(delivery.Message.Id);
            return Task.CompletedTask;
        });
        Console.WriteLine("ready");
        await Console.In.ReadLineAsync();
        await client.DisposeAsync();
        await running;
        foreach (var id in settled)
        {
            Console.WriteLine(id);
        }

        Console.WriteLine("end");
    }

    private static async Task<List<string>> PublishForAsync(PubClient client, TimeSpan duration)
    {
        var ids = new List<string>();
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < duration;)
        {
            var message = new OutgoingMessage { Id = Guid.NewGuid().ToString("N"), Body = Bodies.OfSize(200) };
            await client.Producer.PublishAsync(TopicName.Queue(Name), message);
            ids.Add(message.Id);
            await Task.Delay(5);
        }

        return ids;
    }
}

internal sealed record HandOverResult(string How, TimeSpan SessionTimeout, TimeSpan LongestWait, int Twice, int Lost);

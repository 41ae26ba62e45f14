using System.Diagnostics;
using System.Text;

namespace Pub.Benchmarks;

/// <summary>64 publishers that each await every publish, one consumer in the same process, 200-byte bodies: publish, deliver, settle.</summary>
internal static class Throughput
{
    public const int Publishers = 64;

    public static async Task<ThroughputResult> MeasureAsync(string storeName, int warmUp, int messages, bool keyed)
    {
        await using var store = await BenchmarkStore.OpenAsync(storeName);
        await using var client = PubClient.Create(store.Counting);
        var topic = TopicName.Topic("bench");
        var consumer = await client.SubscribeAsync(
            SubscriptionName.Plain("bench"),
            options =>
            {
                options.Read(topic);
                options.Concurrency = 64;
            });
        var counter = new SettledCounter();
        var running = consumer.RunAsync((_, _) =>
        {
            counter.Add();
            return Task.CompletedTask;
        });

        await RoundAsync(client, topic, counter, warmUp, keyed);
        GC.Collect();
        var before = store.Counting.Counts;
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        var cpu = Process.GetCurrentProcess().TotalProcessorTime;
        var collections = GC.CollectionCount(2);
        var clock = Stopwatch.StartNew();
        await RoundAsync(client, topic, counter, messages, keyed);
        clock.Stop();
        var result = new ThroughputResult(
            storeName, messages, clock.Elapsed, store.Counting.Counts - before, GC.GetTotalAllocatedBytes(precise: true) - allocated,
            Process.GetCurrentProcess().TotalProcessorTime - cpu, GC.CollectionCount(2) - collections);
        await consumer.StopAsync();
        await running;
        return result;
    }

    private static async Task RoundAsync(PubClient client, TopicName topic, SettledCounter counter, int messages, bool keyed)
    {
        var all = counter.WaitForAsync(messages);
        var next = 0;
        var body = Bodies.OfSize(200);
        var publishers = new Task[Publishers];
        for (var i = 0; i < publishers.Length; i++)
        {
            var key = keyed ? $"key-{i}" : null;
            publishers[i] = Task.Run(async () =>
            {
                while (Interlocked.Increment(ref next) <= messages)
                {
                    await client.Producer.PublishAsync(topic, new OutgoingMessage { Key = key, Body = body });
                }
            });
        }

        await Task.WhenAll(publishers);
        await all;
    }
}

/// <summary>Bodies of a size: a JSON object.</summary>
internal static class Bodies
{
    public static byte[] OfSize(int bytes) => Encoding.ASCII.GetBytes("{\"text\":\"" + new string('x', bytes - 11) + "\"}");
}

/// <summary>Counts settled messages and tells when so many more have come.</summary>
internal sealed class SettledCounter
{
    private readonly Lock _lock = new();
    private TaskCompletionSource? _waiter;
    private long _count;
    private long _target = long.MaxValue;

    public Task WaitForAsync(long more)
    {
        lock (_lock)
        {
            _target = _count + more;
            _waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _waiter.Task;
        }
    }

    public void Add()
    {
        if (Interlocked.Increment(ref _count) >= Interlocked.Read(ref _target))
        {
            lock (_lock)
            {
                _waiter?.TrySetResult();
            }
        }
    }
}

internal sealed record ThroughputResult(
    string Store, int Messages, TimeSpan Elapsed, StoreCounts Counts, long AllocatedBytes, TimeSpan Cpu, int Collections)
{
    public double Rate => Messages / Elapsed.TotalSeconds;

    public double OperationsPerMessage => (double)Counts.Operations / Messages;

    public double BytesPerMessage => (double)AllocatedBytes / Messages;

    public double CpuPerMessage => Cpu.TotalMicroseconds / Messages;
}

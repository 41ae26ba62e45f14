using System.Diagnostics;

namespace Pub.Benchmarks;

/// <summary>Messages that are all due in one second: how long after it the last one is with its handler, and how late a lone one is.</summary>
internal static class Schedules
{
    public static async Task<ScheduleResult> MeasureAsync(string storeName, int messages)
    {
        await using var store = await BenchmarkStore.OpenAsync(storeName);
        await using var client = PubClient.Create(store.Counting);
        var topic = TopicName.Topic("due");
        var consumer = await client.SubscribeAsync(SubscriptionName.Plain("due"), options => options.Read(topic));
        var counter = new SettledCounter();
        var running = consumer.RunAsync((_, _) =>
        {
            counter.Add();
            return Task.CompletedTask;
        });

        var late = new List<double>();
        for (var i = 0; i < 20; i++)
        {
            var one = counter.WaitForAsync(1);
            var soon = TimeProvider.System.GetUtcNow() + TimeSpan.FromMilliseconds(500);
            await client.Scheduler.ScheduleAsync(topic, new OutgoingMessage { Body = Bodies.OfSize(200) }, soon);
            await one;
            late.Add((TimeProvider.System.GetUtcNow() - soon).TotalMilliseconds);
        }

        var all = counter.WaitForAsync(messages);
        var clock = Stopwatch.StartNew();
        var due = TimeProvider.System.GetUtcNow() + TimeSpan.FromSeconds(15);
        var next = 0;
        await Task.WhenAll(Enumerable.Range(0, 256).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) is var number && number <= messages)
            {
                await client.Scheduler.ScheduleAsync(topic, new OutgoingMessage { Body = Bodies.OfSize(200) }, due + TimeSpan.FromMilliseconds(number % 1000));
            }
        })));
        var scheduling = clock.Elapsed;
        await all;
        var after = TimeProvider.System.GetUtcNow() - due - TimeSpan.FromSeconds(1);
        await consumer.StopAsync();
        await running;
        return new ScheduleResult(storeName, messages, messages / scheduling.TotalSeconds, after, late.Order().ElementAt(late.Count / 2));
    }
}

internal sealed record ScheduleResult(string Store, int Messages, double ScheduledPerSecond, TimeSpan LastAfter, double LoneLateMilliseconds);

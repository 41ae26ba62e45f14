using System.Globalization;

namespace Pub.Benchmarks;

/// <summary>Each measurement as one table, best of a few runs named with the others beside it: the machine is shared and noisy.</summary>
internal static class Suite
{
    private const int Runs = 3;

    public static async Task RawAsync() => (await RawLimits.MeasureAsync()).Print();

    public static async Task ThroughputAsync(int messages)
    {
        var table = new MarkdownTable(
            "Publish, deliver and settle: 64 publishers that await each publish, 200-byte bodies, one consumer in the same process",
            "store", "messages", "messages/s (each run)", "store operations/message", "CPU µs/message", "allocated bytes/message", "sync p50 now");
        foreach (var (store, keyed) in new[] { ("memory", false), ("sqlite", false), ("memory", true), ("sqlite", true) })
        {
            var results = new List<ThroughputResult>();
            for (var run = 0; run < Runs; run++)
            {
                results.Add(await Throughput.MeasureAsync(store, 60_000, keyed ? messages / 4 : messages, keyed));
            }

            var last = results[^1];
            table.Add(
                keyed ? store + ", 64 keys" : store,
                Text(last.Messages, "N0"),
                string.Join(" / ", results.Select(result => Text(result.Rate, "N0"))),
                Text(results.Max(result => result.OperationsPerMessage), "F3"),
                Text(results.Average(result => result.CpuPerMessage), "F1"),
                Text(last.BytesPerMessage, "N0"),
                store == "sqlite" ? Text(await RawLimits.SyncAsync(), "F3") + " ms" : "");
        }

        table.Print();
    }

    public static async Task LatencyAsync()
    {
        var table = new MarkdownTable(
            "A lone message, publish to handler", "store", "where", "p50 ms", "p95 ms", "p99 ms", "store operations/message");
        foreach (var store in BenchmarkStore.Names)
        {
            var result = await Latency.MeasureAsync(store, 3_000, 5_000);
            table.Add(store, "one process, one after another", Text(result.P50, "F3"), Text(result.P95, "F3"), Text(result.P99, "F3"), Text(result.OperationsPerMessage, "F2"));
            table.Add(store, "one process, every 100 ms", "", "", "", Text(await Latency.OperationsAsync(store, 50), "F2"));
        }

        foreach (var (pause, count) in new[] { (50, 200), (10, 200), (12_000, 7) })
        {
            var result = await Latency.AcrossProcessesAsync(count, TimeSpan.FromMilliseconds(pause));
            table.Add("sqlite", $"two processes, {count} messages, one every {pause:N0} ms", Text(result.P50, "F3"), Text(result.P95, "F3"), Text(result.P99, "F3"), "");
        }

        table.Add("sqlite", "write 4 KB and sync, now", Text(await RawLimits.SyncAsync(), "F3"), "", "", "");
        table.Print();
    }

    public static async Task IdleAsync()
    {
        var table = new MarkdownTable(
            "A process while nothing comes, SQLite, a second process on the same file, without tiered compilation", "subscriptions", "of one core");
        foreach (var subscriptions in new[] { 1, 20 })
        {
            table.Add(Text(subscriptions, "N0"), Text(await Latency.IdleAsync(subscriptions, TimeSpan.FromSeconds(20)) * 100, "F2") + " %");
        }

        table.Print();
    }

    public static async Task BacklogAsync(int backlog)
    {
        var table = new MarkdownTable(
            "A consumer that starts in a fresh process on a SQLite file, while 64 publishers go on", "backlog", "first message after", "messages/s settled", "ratio", "peak memory");
        var none = await Backlog.MeasureAsync(1, 200_000);
        var full = await Backlog.MeasureAsync(backlog, 200_000);
        foreach (var result in new[] { none, full })
        {
            table.Add(
                Text(result.Backlog, "N0"), Text(result.FirstMilliseconds, "N0") + " ms", Text(result.Rate, "N0"),
                Text(result.Rate / none.Rate, "F2"), Text(result.PeakMegabytes, "N0") + " MB");
        }

        table.Print();
    }

    public static async Task HandOverAsync()
    {
        var table = new MarkdownTable(
            "Two processes share a subscription on a SQLite file; one ends while a message comes every 5 ms",
            "the other is", "session timeout", "longest wait of a message", "delivered twice", "lost");
        foreach (var kill in new[] { false, true })
        {
            var result = await HandOver.MeasureAsync(kill, TimeSpan.FromSeconds(kill ? 6 : 30));
            table.Add(
                result.How, Text(result.SessionTimeout.TotalSeconds, "N0") + " s", Text(result.LongestWait.TotalSeconds, "F2") + " s",
                Text(result.Twice, "N0"), Text(result.Lost, "N0"));
        }

        table.Print();
    }

    public static async Task ScheduleAsync(int messages)
    {
        var table = new MarkdownTable(
            "Scheduled messages, all due within one second; 256 callers schedule them", "store", "messages", "scheduled/s", "the last one handled after that second", "a lone one late by, p50");
        foreach (var store in BenchmarkStore.Names)
        {
            var result = await Schedules.MeasureAsync(store, messages);
            table.Add(
                store, Text(result.Messages, "N0"), Text(result.ScheduledPerSecond, "N0"), Text(result.LastAfter.TotalSeconds, "F1") + " s",
                Text(result.LoneLateMilliseconds, "F0") + " ms");
        }

        table.Print();
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}

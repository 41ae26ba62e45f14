using System.Globalization;
using Pub.Benchmarks;

// What runs is named by the first argument; none: all of it, about five minutes. The tables are those of docs/benchmarks.md.
var messages = args.Length > 1 && int.TryParse(args[1], CultureInfo.InvariantCulture, out var given) ? given : 0;
switch (args.FirstOrDefault())
{
    case null or "all":
        await Suite.RawAsync();
        await Suite.ThroughputAsync(500_000);
        await Suite.LatencyAsync();
        await Suite.IdleAsync();
        await Suite.BacklogAsync(1_000_000);
        await Suite.HandOverAsync();
        await Suite.ScheduleAsync(100_000);
        return 0;
    case "raw":
        await Suite.RawAsync();
        return 0;
    case "throughput":
        await Suite.ThroughputAsync(messages == 0 ? 500_000 : messages);
        return 0;
    case "latency":
        await Suite.LatencyAsync();
        return 0;
    case "backlog":
        await Suite.BacklogAsync(messages == 0 ? 1_000_000 : messages);
        return 0;
    case "handover":
        await Suite.HandOverAsync();
        return 0;
    case "idle":
        await Suite.IdleAsync();
        return 0;
    case "schedule":
        await Suite.ScheduleAsync(messages == 0 ? 100_000 : messages);
        return 0;
    case "latency-child":
        await Latency.ChildAsync(args[1], int.Parse(args[2], CultureInfo.InvariantCulture));
        return 0;
    case "idle-child":
        await Latency.IdleChildAsync(args[1], int.Parse(args[2], CultureInfo.InvariantCulture));
        return 0;
    case "backlog-child":
        await Backlog.ChildAsync(args[1], int.Parse(args[2], CultureInfo.InvariantCulture), int.Parse(args[3], CultureInfo.InvariantCulture));
        return 0;
    case "handover-child":
        await HandOver.ChildAsync(args[1], double.Parse(args[2], CultureInfo.InvariantCulture));
        return 0;
    default:
        Console.Error.WriteLine("Benchmarks: all, raw, throughput [messages], latency, idle, backlog [messages], handover, schedule [messages].");
        return 2;
}

using Pub.Benchmarks;

var what = args.Length > 0 ? args[0] : "all";
var store = args.Length > 1 ? args[1] : "memory";
if (what == "throughput")
{
    var messages = args.Length > 2 ? int.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture) : 500_000;
    for (var i = 0; i < 3; i++)
    {
        var r = await Throughput.MeasureAsync(store, 60_000, messages, args.Length > 3);
        Console.WriteLine($"{r.Store}: {r.Rate:N0}/s, {r.OperationsPerMessage:F3} ops/msg {r.Counts}, {r.BytesPerMessage:N0} B/msg, {r.CpuPerMessage:F1} us/msg, gen2 {r.Collections}");
    }
}
else if (what == "latency")
{
    Console.WriteLine(await Latency.MeasureAsync("memory", 2000, 5000));
    Console.WriteLine(await Latency.MeasureAsync("sqlite", 1000, 3000));
    Console.WriteLine("ops memory " + await Latency.OperationsAsync("memory", 30));
    Console.WriteLine("ops sqlite " + await Latency.OperationsAsync("sqlite", 30));
    Console.WriteLine(await Latency.AcrossProcessesAsync(100, TimeSpan.FromMilliseconds(50)));
}
else if (what == "latency-child")
{
    await Latency.ChildAsync(args[1], int.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture));
}

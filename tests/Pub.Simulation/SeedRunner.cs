using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Pub.Simulation.Core;

namespace Pub.Simulation;

/// <summary>Runs many seeds on two threads, or one with all it does: <c>--seeds 10000 [--from N]</c>, <c>--seed N [--verbose]</c>.</summary>
internal static class SeedRunner
{
    private const int Threads = 2;

    public static int Run(string[] args)
    {
        if (Number(args, "--seed") is { } seed)
        {
            var run = CoreSimulation.Run(seed, verbose: args.Contains("--verbose"), broken: Broken(args));
            Console.WriteLine(run.Report(Number(args, "--tail") ?? 200));
            return run.Failure is null ? 0 : 1;
        }

        if (args.Contains("--rules"))
        {
            return RunRules(args);
        }

        var (from, count) = (Number(args, "--from") ?? 1, Number(args, "--seeds") ?? 1000);
        var watch = Stopwatch.StartNew();
        var failed = RunMany(from, count, Broken(args), int.MaxValue, run =>
            Console.WriteLine($"seed {run.Seed}: {run.Failure!.Split('\n')[0]}"), out var total);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{count} seeds from {from}: {failed.Count} failed. {count / watch.Elapsed.TotalSeconds:F1} seeds/s; {total.Messages} messages published, {total.Deliveries} deliveries, {total.Steps} steps, {total.VirtualTime.TotalHours:F1} h of virtual time; all traces {total.Traces:x16}."));
        if (failed.Count > 0)
        {
            Console.WriteLine($"Replay one with --seed N --verbose; failed: {string.Join(' ', failed.Select(run => run.Seed))}");
        }

        return failed.Count == 0 ? 0 : 1;
    }

    /// <summary>The runs that failed, by seed; ends early once there are this many.</summary>
    public static IReadOnlyList<RunResult> RunMany(int from, int count, BrokenRules broken, int enough, Action<RunResult>? onFailure, out RunTotals totals)
    {
        var failed = new ConcurrentQueue<RunResult>();
        var next = from - 1;
        var sum = new RunTotals();
        var gate = new Lock();
        void Work()
        {
            while (failed.Count < enough)
            {
                var seed = Interlocked.Increment(ref next);
                if (seed >= from + count)
                {
                    return;
                }

                var run = CoreSimulation.Run(seed, verbose: false, broken);
                lock (gate)
                {
                    sum = sum.Plus(run);
                }

                // A rule is caught by what goes wrong without it only.
                if (run.Failure is not null && (broken == BrokenRules.None || CoreSimulation.Run(seed).Failure is null))
                {
                    failed.Enqueue(run);
                    onFailure?.Invoke(run);
                }
            }
        }

        var threads = Enumerable.Range(0, Threads).Select(_ => new Thread(Work, 16 * 1024 * 1024)).ToArray();
        foreach (var thread in threads)
        {
            thread.Start();
        }

        foreach (var thread in threads)
        {
            thread.Join();
        }

        totals = sum;
        return [.. failed.OrderBy(run => run.Seed)];
    }

    /// <summary>For each rule the first seed that catches its absence.</summary>
    private static int RunRules(string[] args)
    {
        var only = Broken(args);
        foreach (var rule in Enum.GetValues<BrokenRules>().Where(rule => rule != BrokenRules.None && (only == BrokenRules.None || only.HasFlag(rule))))
        {
            var watch = Stopwatch.StartNew();
            var failed = RunMany(Number(args, "--from") ?? 1, Number(args, "--seeds") ?? 300, rule, 1, null, out _);
            var result = failed.Count == 0 ? "not caught" : $"seed {failed[0].Seed}: {failed[0].Failure!.Split('\n')[0]}";
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{rule,-26} {watch.Elapsed.TotalSeconds,5:F0} s  {result[..Math.Min(result.Length, 170)]}"));
        }

        return 0;
    }

    private static int? Number(string[] args, string name)
    {
        var index = Array.IndexOf(args, name);
        return index >= 0 && index + 1 < args.Length && int.TryParse(args[index + 1], CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    private static BrokenRules Broken(string[] args)
    {
        var index = Array.IndexOf(args, "--broken");
        return index >= 0 && index + 1 < args.Length ? Enum.Parse<BrokenRules>(args[index + 1]) : BrokenRules.None;
    }
}

internal readonly record struct RunTotals(int Messages, int Deliveries, long Steps, TimeSpan VirtualTime, ulong Traces)
{
    public RunTotals Plus(RunResult run) =>
        new(Messages + run.Messages, Deliveries + run.Deliveries, Steps + run.Steps, VirtualTime + run.VirtualTime, Traces ^ run.TraceHash);
}

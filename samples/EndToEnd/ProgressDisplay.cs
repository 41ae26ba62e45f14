using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace EndToEnd;

/// <summary>Shows how far a run is: bars on a terminal, a line every few seconds where the output goes to a file.</summary>
internal static class ProgressDisplay
{
    private static readonly TimeSpan BarInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(2);

    /// <summary>Shows until the work has ended; the caller awaits the work for its outcome.</summary>
    public static Task ShowAsync(IAnsiConsole console, Tally tally, Task work) =>
        console.Profile.Capabilities.Interactive ? ShowBarsAsync(console, tally, work) : ShowLinesAsync(console, tally, work);

    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    private static Task ShowBarsAsync(IAnsiConsole console, Tally tally, Task work) =>
        console.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .StartAsync(async context =>
            {
                var published = context.AddTask("published", maxValue: tally.Events);
                var received = context.AddTask("received", maxValue: tally.Events);
                do
                {
                    Update(published, "published", tally.Confirmed);
                    Update(received, $"received, lag {Count(tally.Lag)}", tally.Received);
                }
                while (!await EndsWithinAsync(work, BarInterval));

                Update(published, "published", tally.Confirmed);
                Update(received, "received", tally.Received);
            });

    private static void Update(ProgressTask task, string description, long count)
    {
        task.Description = $"{description} {Count(count)}";
        task.Value = count;
    }

    private static async Task ShowLinesAsync(IAnsiConsole console, Tally tally, Task work)
    {
        var start = Stopwatch.GetTimestamp();
        while (!await EndsWithinAsync(work, LineInterval))
        {
            console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{Stopwatch.GetElapsedTime(start).TotalSeconds:0} s: published {tally.Confirmed:N0}, received {tally.Received:N0} of {tally.Events:N0}, lag {tally.Lag:N0}"));
        }
    }

    private static async Task<bool> EndsWithinAsync(Task work, TimeSpan interval) => await Task.WhenAny(work, Task.Delay(interval)) == work;
}

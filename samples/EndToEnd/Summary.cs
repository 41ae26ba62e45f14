using System.Globalization;
using Spectre.Console;

namespace EndToEnd;

/// <summary>The table at the end.</summary>
internal static class Summary
{
    public static void Write(IAnsiConsole console, Tally tally, Settings settings)
    {
        var latencies = tally.Latencies();
        var table = new Table { Border = console.Profile.Capabilities.Ansi ? TableBorder.Rounded : TableBorder.Ascii };
        table.AddColumn("").AddColumn(new TableColumn("").RightAligned()).HideHeaders();
        Row("store", settings.StoreText);
        Row("rounds of events", $"{ProgressDisplay.Count(settings.PublishRounds)} of {ProgressDisplay.Count(settings.EventCount)}");
        Row("published", ProgressDisplay.Count(tally.Confirmed));
        Row("received", ProgressDisplay.Count(tally.Received));
        Row("missing", ProgressDisplay.Count(tally.Events - tally.Received));
        Row("duplicates", ProgressDisplay.Count(tally.Duplicates));
        Row("events of other runs", ProgressDisplay.Count(tally.Foreign));
        Row("lag", ProgressDisplay.Count(tally.Lag));
        Row("time", string.Create(CultureInfo.InvariantCulture, $"{tally.Duration.TotalSeconds:0.00} s"));
        Row("rate", tally.Duration > TimeSpan.Zero ? $"{ProgressDisplay.Count((long)(tally.Received / tally.Duration.TotalSeconds))} events/s" : "-");
        foreach (var percent in (int[])[50, 95, 99])
        {
            Row($"latency p{percent}", Latency(latencies, percent));
        }

        console.Write(table);

        void Row(string name, string value) => table.AddRow(new Text(name), new Text(value));
    }

    /// <summary>The least latency that so many percent of the events do not exceed.</summary>
    private static string Latency(TimeSpan[] ascending, int percent) => ascending.Length == 0
        ? "-"
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{ascending[Math.Max(0, (int)Math.Ceiling(ascending.Length * (percent / 100.0)) - 1)].TotalMilliseconds:0.00} ms");
}

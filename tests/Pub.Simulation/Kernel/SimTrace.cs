using System.Globalization;
using System.Text;

namespace Pub.Simulation.Kernel;

/// <summary>
/// What happened, in order: a hash over all of it, by which two runs of one seed are compared, and the last part of it for people to read.
/// </summary>
internal sealed class SimTrace(SimScheduler scheduler, int kept = 3000)
{
    private readonly (long Time, string Who, string What, string Detail)[] _lines = new (long, string, string, string)[kept];
    private long _count;

    /// <summary>Every line goes to the console too.</summary>
    public bool IsVerbose { get; init; }

    public ulong Hash { get; private set; } = 14695981039346656037;

    public long Count => _count;

    public void Add(string who, string what, string detail)
    {
        var line = (scheduler.Now, who, what, detail);
        Keep(line);
        Mix((ulong)scheduler.Now);
        Mix(who);
        Mix(what);
        Mix(detail);
    }

    /// <summary>A line that is for people only: no part of the hash.</summary>
    public void Note(string who, string what, string detail) => Keep((scheduler.Now, who, what, detail));

    private void Keep((long Time, string Who, string What, string Detail) line)
    {
        _lines[_count++ % kept] = line;
        if (IsVerbose)
        {
            Console.WriteLine(Text(line));
        }
    }

    public string Tail(int lines, Func<string, bool>? where = null)
    {
        var text = new StringBuilder();
        var chosen = new List<string>();
        for (var i = Math.Max(0, _count - kept); i < _count; i++)
        {
            var line = Text(_lines[i % kept]);
            if (where is null || where(line))
            {
                chosen.Add(line);
            }
        }

        foreach (var line in chosen.Skip(Math.Max(0, chosen.Count - lines)))
        {
            text.AppendLine(line);
        }

        return text.ToString();
    }

    private static string Text((long Time, string Who, string What, string Detail) line) =>
        string.Create(CultureInfo.InvariantCulture, $"{line.Time / 10_000_000.0,12:F6} {line.Who,-8} {line.What,-12} {line.Detail}");

    private void Mix(string text)
    {
        foreach (var letter in text)
        {
            Hash = (Hash ^ letter) * 1099511628211;
        }

        Mix((ulong)text.Length);
    }

    private void Mix(ulong number) => Hash = (Hash ^ number) * 1099511628211;
}

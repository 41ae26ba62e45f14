using Pub.Topics;

namespace Pub.Trimming;

/// <summary>
/// When to look at a topic again: at every round while there is something to do; twice as late each time there is not, up to a minute; at
/// once when this process has heard of new entries. Used by one loop.
/// </summary>
internal sealed class TrimSchedule(PubRuntime runtime, TopicDirectory directory, TimeSpan interval)
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    private readonly Dictionary<TopicName, Line> _lines = [];

    public async ValueTask<bool> IsDueAsync(TopicName topic, CancellationToken cancellationToken)
    {
        if (!_lines.TryGetValue(topic, out var line) || runtime.Time.GetElapsedTime(line.Looked) >= line.Pause)
        {
            return true;
        }

        // Costs no read: what this process's readers have last seen of it.
        return await directory.FindAsync(topic, cancellationToken) is { } known && Tails(known) != line.Tails;
    }

    public async ValueTask LookedAsync(TopicName topic, bool didSomething, CancellationToken cancellationToken)
    {
        var pause = didSomething || !_lines.TryGetValue(topic, out var line) ? interval : line.Pause * 2;
        var known = await directory.FindAsync(topic, cancellationToken);
        _lines[topic] = new(runtime.Time.GetTimestamp(), pause < Longest ? pause : Longest > interval ? Longest : interval, known is null ? 0 : Tails(known));
    }

    /// <summary>Forgets the topics that this process has nothing to do with any more.</summary>
    public void KeepOnly(IReadOnlySet<TopicName> topics)
    {
        foreach (var topic in _lines.Keys.Where(topic => !topics.Contains(topic)).ToArray())
        {
            _lines.Remove(topic);
        }
    }

    private static long Tails(TopicSnapshot topic)
    {
        var tails = 0L;
        for (var n = 0; n < topic.ShardCount; n++)
        {
            tails = unchecked((tails * 31) + topic[n].Tail.Value);
        }

        return tails;
    }

    private sealed record Line(long Looked, TimeSpan Pause, long Tails);
}

using Pub.Topics;

namespace Pub.Trimming;

/// <summary>Notices that a trimmer has died with its work half done: what is to remove stands still. Used by one loop.</summary>
internal sealed class TrimLeftovers(PubRuntime runtime)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly Dictionary<TopicName, (long Removed, long Since)> _seen = [];

    /// <summary>Whether entries below head have been waiting for their removal, and nobody has removed any, since a look at least 15 s ago.</summary>
    public bool StandStill(TopicSnapshot topic)
    {
        var removed = 0L;
        var isLeft = false;
        for (var n = 0; n < topic.ShardCount; n++)
        {
            // Wraps when it overflows; only whether it changes counts.
            removed = unchecked((removed * 31) + topic[n].Removed.Value);
            isLeft |= topic[n].Removed < topic[n].Head;
        }

        if (!isLeft)
        {
            _seen.Remove(topic.Name);
            return false;
        }

        if (_seen.TryGetValue(topic.Name, out var seen) && seen.Removed == removed)
        {
            return runtime.Time.GetElapsedTime(seen.Since) >= Patience;
        }

        _seen[topic.Name] = (removed, runtime.Time.GetTimestamp());
        return false;
    }

    public void Forget(TopicName topic) => _seen.Remove(topic);
}

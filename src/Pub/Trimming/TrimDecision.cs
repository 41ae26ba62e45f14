using Pub.Topics;

namespace Pub.Trimming;

/// <summary>What a topic's settings mean for its trim.</summary>
/// <param name="Mode">When entries may go.</param>
/// <param name="MaxAge">How old entries get; null: age does not count.</param>
/// <param name="ForgetsUnread">Whether entries go by age alone when nobody reads the topic. Never a queue's.</param>
internal readonly record struct RetentionRule(Retention Mode, TimeSpan? MaxAge, bool ForgetsUnread)
{
    public static RetentionRule Of(TopicSnapshot topic, RetentionOptions options)
    {
        var forgets = topic.Name.Kind == TopicKind.Topic;
        return new RetentionRule(topic.Settings.Retention, topic.Settings.RetentionTime ?? (forgets ? options.UnreadRetention : null), forgets);
    }

    /// <summary>Whether the age of entries must be known to decide.</summary>
    public bool NeedsAge(bool isRead) => MaxAge is not null && (isRead ? Mode != Retention.WhenSettled : ForgetsUnread);
}

/// <summary>
/// How far a shard's head may go: pure.
/// <code>
/// the head never falls
/// unless the mode is AfterTime, the head never passes a floor
/// a queue that nobody reads keeps everything
/// </code>
/// </summary>
internal static class TrimDecision
{
    /// <param name="rule">The topic's rule.</param>
    /// <param name="shard">The shard as stored.</param>
    /// <param name="floors">The floor, or start, of every subscription that reads the topic.</param>
    /// <param name="aged">Everything below is older than the rule's age; the head if nothing is, or if it does not count.</param>
    public static Offset Head(RetentionRule rule, ShardState shard, IReadOnlyList<Position> floors, Offset aged)
    {
        var limit = Limit(rule, shard, floors, aged);
        return limit > shard.Head ? limit : shard.Head;
    }

    /// <summary>Below it every subscription has settled everything; null if there is no subscription.</summary>
    public static Offset? Lowest(IReadOnlyList<Position> floors)
    {
        Offset? lowest = null;
        foreach (var floor in floors)
        {
            // The floor's own entry may have unsettled messages.
            lowest = lowest is null || floor.Offset < lowest ? floor.Offset : lowest;
        }

        return lowest;
    }

    private static Offset Limit(RetentionRule rule, ShardState shard, IReadOnlyList<Position> floors, Offset aged)
    {
        if (Lowest(floors) is not { } settled)
        {
            return rule.ForgetsUnread && rule.MaxAge is not null ? aged : shard.Head;
        }

        return rule.Mode switch
        {
            Retention.AfterTime => aged,
            Retention.WhenSettledAndAfterTime => settled < aged ? settled : aged,
            _ => settled,
        };
    }
}

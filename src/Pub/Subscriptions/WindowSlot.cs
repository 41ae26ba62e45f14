using Pub.Topics;

namespace Pub.Subscriptions;

/// <summary>
/// One slot of a shard between the floor and what is read next: a hole, or an entry on its way to being settled. Belongs to its
/// <see cref="ShardWindow"/>, under the same lock.
/// </summary>
internal sealed class WindowSlot(ShardWindow window, Offset offset)
{
    public ShardWindow Window { get; } = window;

    public Offset Offset { get; } = offset;

    /// <summary>What was read; null while the slot is a hole.</summary>
    public Entry? Entry { get; set; }

    /// <summary>Window clock when the read that found the entry had ended.</summary>
    public long ReadMark { get; set; }

    /// <summary>Window clock when the latest read that found the slot missing began; 0 before the first.</summary>
    public long MissingMark { get; set; }

    /// <summary>When the slot was first found missing, as a timestamp of the monotonic clock.</summary>
    public long MissingSince { get; set; }

    /// <summary>When an open hole is read again at the latest, as a timestamp.</summary>
    public long NextRead { get; set; }

    /// <summary>How long a hole now waits between two reads.</summary>
    public TimeSpan Pause { get; set; }

    public bool IsBeingRead { get; set; }

    /// <summary>Somebody said that the slot was filled, and it was not read since.</summary>
    public bool IsFilled { get; set; }

    /// <summary>Handed out for delivery.</summary>
    public bool IsDelivered { get; set; }

    /// <summary>Messages of the entry that are not settled.</summary>
    public int Unsettled { get; set; }

    /// <summary>What the slot takes of the prefetch budget, until it is let go.</summary>
    public int BudgetMessages { get; set; }

    public int BudgetBytes { get; set; }

    public bool IsHole => Entry is null;
}

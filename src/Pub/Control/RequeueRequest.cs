namespace Pub;

/// <summary>Which messages of a queue to requeue, and where to. The default: all, each to where it came from.</summary>
public sealed class RequeueRequest
{
    /// <summary>Only messages with these ids; null for any.</summary>
    public IReadOnlyCollection<string>? Ids { get; init; }

    /// <summary>Only messages for which this is true; null for any. Called for each unsettled message, one at a time.</summary>
    public Predicate<StoredMessage>? Where { get; init; }

    /// <summary>
    /// Where to; null, the default, for where each came from: the own queue of the subscription that set it aside, so that no other one gets it again.
    /// </summary>
    public TopicName? Target { get; init; }

    /// <summary>At most so many; from 1, default no limit.</summary>
    public int MaxMessages { get; init; } = int.MaxValue;

    internal void Check()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxMessages, 1, nameof(MaxMessages));
        if (Target is { } target)
        {
            _ = target.Name;
        }
    }
}

/// <summary>What a requeue did.</summary>
/// <param name="Requeued">Messages that were published again, and settled where they lay.</param>
/// <param name="LeftWithoutOrigin">Messages that were chosen and left, since they do not say where they came from, or that is gone.</param>
public readonly record struct RequeueResult(int Requeued, int LeftWithoutOrigin);

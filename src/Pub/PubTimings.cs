namespace Pub;

/// <summary>
/// The durations that rules of the protocol rest on, in one place. Every process on one store must use the same
/// (docs/decisions/0005-the-look-before-confirming.md).
/// <code>
/// 2 × LookBeforeConfirming ≤ GapTimeout
/// </code>
/// </summary>
internal sealed record PubTimings
{
    public static PubTimings Default { get; } = new();

    /// <summary>
    /// An append that took longer than this looks at its shard's head before it counts as done. Far enough below <see cref="GapTimeout"/> that
    /// an append which does not look has ended before any reader can have closed its slot.
    /// </summary>
    public TimeSpan LookBeforeConfirming { get; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a reader leaves a hole open before it closes it with a tombstone.</summary>
    public TimeSpan GapTimeout
    {
        get;
        init => field = value >= 2 * LookBeforeConfirming
            ? value
            : throw new ArgumentOutOfRangeException(
                nameof(value), value, $"GapTimeout must be at least {2 * LookBeforeConfirming}, twice the time after which a producer looks before it confirms.");
    } = TimeSpan.FromSeconds(10);
}

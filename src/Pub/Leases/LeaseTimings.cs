namespace Pub.Leases;

/// <summary>
/// The durations of sessions and leases. What keeps two sessions from one lease: the owner stops at <see cref="OwnerTimeout"/>, the others take over at
/// <see cref="SessionTimeout"/>, each timed on its own clock, and a third of the session's time lies between.
/// </summary>
internal sealed record LeaseTimings
{
    public static LeaseTimings Default { get; } = new();

    /// <summary>How often a session shows its sign of life. One write and one read per session known; 10 s by default.</summary>
    public TimeSpan BeatInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The age of its own last good beat at which an owner stops; 20 s by default.</summary>
    public TimeSpan OwnerTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long the others watch a beat that does not move before they take over; 30 s by default.</summary>
    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a handler may hold up the hand-over of its lease before the lease is kept after all; 10 s by default.</summary>
    public TimeSpan GiveUpPatience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long what a dead session left behind is kept before it is cleaned up; 10 minutes by default.</summary>
    public TimeSpan DeadRetention { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The time between the owner's stop and the others' take-over: what handlers have to react to their cancelled token.</summary>
    public TimeSpan Margin => SessionTimeout - OwnerTimeout;

    /// <summary>Every fault of the settings, each naming the setting and what is allowed; empty if all is well.</summary>
    public IEnumerable<string> Faults()
    {
        if (BeatInterval <= TimeSpan.Zero)
        {
            yield return $"{nameof(BeatInterval)} is {BeatInterval}; it must be above zero.";
        }

        if (BeatInterval * 2 > OwnerTimeout)
        {
            yield return $"{nameof(OwnerTimeout)} is {OwnerTimeout}; it must be at least twice {nameof(BeatInterval)} ({BeatInterval}).";
        }

        if (Margin < SessionTimeout / 3)
        {
            yield return $"{nameof(SessionTimeout)} is {SessionTimeout}; it must be at least one and a half times {nameof(OwnerTimeout)} ({OwnerTimeout}).";
        }

        if (GiveUpPatience < TimeSpan.Zero)
        {
            yield return $"{nameof(GiveUpPatience)} is {GiveUpPatience}; it must not be negative.";
        }

        if (DeadRetention < SessionTimeout)
        {
            yield return $"{nameof(DeadRetention)} is {DeadRetention}; it must be at least {nameof(SessionTimeout)} ({SessionTimeout}).";
        }
    }
}

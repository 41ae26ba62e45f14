namespace Pub.Leases;

/// <summary>
/// What one observer knows of one session's beat, and when to look again. Pure. Times are the observer's own monotonic clock.
/// <code>
/// overdue  ⇔ the beat was the same at the end of one read and in a read begun SessionTimeout later (no document: OwnerTimeout)
/// </code>
/// The timing of the reads is for economy and speed alone; nothing rests on it. A beat is expected a beat interval after the last; the read just before
/// its time mostly finds it not there, or already there: by going a little earlier each time and then in small steps the observer sees each beat within a
/// step, at little more than one read a beat.
/// </summary>
/// <param name="Beat">The beat last seen; null: there was no document.</param>
/// <param name="SeenAt">The end of the read that first showed it.</param>
/// <param name="LookedAt">The beginning of the latest read.</param>
/// <param name="Late">How long after it was written the beat may have been seen.</param>
/// <param name="NextLook">When to read again.</param>
internal readonly record struct BeatWatch(long? Beat, TimeSpan SeenAt, TimeSpan LookedAt, TimeSpan Late, TimeSpan NextLook)
{
    public static BeatWatch First(long? beat, TimeSpan began, TimeSpan ended, LeaseTimings timings) =>
        new(beat, ended, began, timings.BeatInterval, ended + Step(timings));

    /// <summary>The knowledge after another read.</summary>
    public BeatWatch Look(long? beat, TimeSpan began, TimeSpan ended, LeaseTimings timings)
    {
        var step = Step(timings);
        if (beat == Beat)
        {
            var next = ended + step;
            var end = SeenAt + Patience(timings);
            return this with { LookedAt = began, NextLook = next < end || began >= end ? next : end };
        }

        // One further, and not missed by the read before: written between the two, or a beat after the one before, whichever is later.
        var isNext = beat == Beat + 1;
        var since = TimeSpan.FromTicks(Math.Max(LookedAt.Ticks, isNext ? (SeenAt - Late + timings.BeatInterval).Ticks : 0));
        var late = since < ended ? ended - since : step;

        // A step, and what two reads take.
        var isClose = late <= step * 1.5;
        return new(beat, ended, began, late, began + timings.BeatInterval - (isClose ? step / 20 : late));
    }

    public bool IsOverdue(TimeSpan began, LeaseTimings timings) => began - SeenAt >= Patience(timings);

    private TimeSpan Patience(LeaseTimings timings) => Beat is null ? timings.OwnerTimeout : timings.SessionTimeout;

    private static TimeSpan Step(LeaseTimings timings) => timings.BeatInterval / 10;
}

namespace Pub.Scheduling;

/// <summary>
/// Durations and bounds of scheduling. None decides whether a message is delivered; they decide when, and what it costs.
/// <code>
/// DirectoryInterval &lt; OpenAhead: a bucket is open before its minute begins
/// </code>
/// </summary>
internal sealed record ScheduleTimings
{
    public static ScheduleTimings Default { get; } = new();

    /// <summary>How long before its minute a bucket is read.</summary>
    public TimeSpan OpenAhead { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often movers read the directory although it did not change.</summary>
    public TimeSpan DirectoryInterval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>A log listed for less than this ahead is announced to the movers at once.</summary>
    public TimeSpan AnnounceWithin { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long after its minute a log stays open for publishers whose clocks are behind.</summary>
    public TimeSpan CloseAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a mover leaves a log open at least, so that a publisher that is far behind does not need one log a message.</summary>
    public TimeSpan OpenAtLeast { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The least time between two writes of a lease's progress while there is more to move.</summary>
    public TimeSpan SaveInterval { get; init; } = TimeSpan.FromMilliseconds(25);

    /// <summary>How much later a message is tried again that could not be published.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long an append to a bucket is tried.</summary>
    public TimeSpan AppendTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the publish of a due message is tried before it goes back into a bucket: what else its lease has to move waits that long.</summary>
    public TimeSpan MoveTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a cancelled message's document says so.</summary>
    public TimeSpan CancelledTimeToLive { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The most messages of one lease that are on their way at a time.</summary>
    public int BatchMessages { get; init; } = 1000;

    /// <summary>The most buckets that are open at a time, oldest first; the present hour's come on top.</summary>
    public int OpenBuckets { get; init; } = 32;

    /// <summary>Bytes of entries that one lease keeps so as not to read them again when their messages are due.</summary>
    public long CacheBytes { get; init; } = 8 * 1024 * 1024;
}

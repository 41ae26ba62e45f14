namespace Pub.Topics;

/// <summary>A moment after which retrying ends, on the monotonic clock.</summary>
internal readonly struct Deadline(TimeProvider time, TimeSpan limit)
{
    private readonly long _start = time.GetTimestamp();

    public TimeSpan Limit => limit;

    public bool IsPast => time.GetElapsedTime(_start) >= limit;
}

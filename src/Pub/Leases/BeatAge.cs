namespace Pub.Leases;

/// <summary>How long ago a beat was begun, by the larger of both clocks (executions.md 21).</summary>
internal readonly struct BeatAge(PubRuntime runtime)
{
    private readonly ElapsedTime _elapsed = runtime.StartElapsed();
    private readonly long _timestamp = runtime.Time.GetTimestamp();

    public TimeSpan Elapsed => runtime.Breaks(BrokenRules.MonotonicClockOnly) ? runtime.Time.GetElapsedTime(_timestamp) : _elapsed.Elapsed;
}

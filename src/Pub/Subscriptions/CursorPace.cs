namespace Pub.Subscriptions;

/// <summary>
/// How often cursors are written: each at most every 25 ms, and less often when a process holds many that are busy, so that together they stay
/// within a budget of writes a second (executions.md 30). One per process and store.
/// </summary>
internal sealed class CursorPace(int writesPerSecond)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(25);

    private int _busy;

    /// <summary>The time from the beginning of one write of a cursor to the next.</summary>
    public TimeSpan Interval
    {
        get
        {
            var share = TimeSpan.FromSeconds((double)Volatile.Read(ref _busy) / writesPerSecond);
            return share > Shortest ? share : Shortest;
        }
    }

    /// <summary>A cursor begins to be written again and again.</summary>
    public void Enter() => Interlocked.Increment(ref _busy);

    /// <summary>A cursor has nothing to write for now.</summary>
    public void Leave() => Interlocked.Decrement(ref _busy);
}

namespace Pub.Leases;

/// <summary>
/// How long an instance has seen leases as left, on its own monotonic clock: they may be claimed after <see cref="LeaseTimings.Margin"/>, so that
/// handlers whose token was cancelled have had time to end. Belongs to the keeper's loop.
/// </summary>
internal sealed class LeftLeases(int count, LeaseTimings timings)
{
    private readonly (long Token, TimeSpan Since)?[] _seen = new (long, TimeSpan)?[count];

    public void Look(AssignmentDocument assignment, TimeSpan now)
    {
        for (var lease = 0; lease < count; lease++)
        {
            var record = assignment.Leases[lease];
            if (record.State != LeaseState.Left)
            {
                _seen[lease] = null;
            }
            else if (_seen[lease]?.Token != record.Token)
            {
                _seen[lease] = (record.Token, now);
            }
        }
    }

    public IReadOnlySet<int> Ripe(TimeSpan now) =>
        new SortedSet<int>(Enumerable.Range(0, count).Where(n => _seen[n] is { } seen && now - seen.Since >= timings.Margin));

    /// <summary>How long until the next one is certainly ripe: timers count whole milliseconds.</summary>
    public TimeSpan? Remaining(TimeSpan now)
    {
        var waiting = _seen.OfType<(long Token, TimeSpan Since)>().Select(s => s.Since + timings.Margin - now).Where(r => r > TimeSpan.Zero).ToArray();
        return waiting.Length == 0 ? null : waiting.Min() + (timings.Margin / 1000);
    }
}

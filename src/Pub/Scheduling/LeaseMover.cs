using Pub.Leases;
using Pub.Topics;

namespace Pub.Scheduling;

/// <summary>
/// Moves what is due in one shard of every bucket, under one lease. Owned by <see cref="MoverLoop"/>: one call at a time.
/// <code>
/// the token is raised before anything is read or moved
/// moved → stored as moved → entries removed: each step only after the one before
/// </code>
/// </summary>
internal sealed class LeaseMover(LeaseGrant grant, MoverServices services)
{
    /// <summary>While a bucket is open it is looked at this often, whether it may be closed or removed.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(5);

    private readonly MoverCursor _cursor = new(services.Store, grant.Lease, grant.Token, grant.Session);
    private readonly DueMessages _due = new(services);
    private readonly BucketCache _cache = new(services.Timings.CacheBytes);
    private readonly SortedDictionary<BucketName, BucketShard> _open = [];
    private readonly SortedDictionary<string, MoverLine> _lines = new(StringComparer.Ordinal);
    private ElapsedTime _sinceSaved;
    private bool _isTaken;

    /// <summary>Whether what is moved is stored, as far as is known.</summary>
    public bool IsKnown => !_isTaken || _cursor.IsKnown;

    /// <summary>One round: open, read, move, store, close. Answers how long nothing is to be done unless the feed changes; null for ever.</summary>
    /// <exception cref="LeaseLostException">Another holder has taken over.</exception>
    public async Task<TimeSpan?> StepAsync(CancellationToken cancellationToken)
    {
        await TakeAsync(cancellationToken);
        var feed = services.Feed.Open;
        OpenNew(feed);
        var hasMore = false;
        foreach (var (bucket, log, epoch) in feed)
        {
            if (_open.TryGetValue(bucket, out var shard))
            {
                await shard.ProbeIfFailedOverAsync(log[grant.Lease], epoch, cancellationToken);
                hasMore |= await shard.ReadAsync(log[grant.Lease], cancellationToken);
            }
        }

        hasMore |= await MoveDueAsync(cancellationToken);
        if (!hasMore || _sinceSaved.Elapsed >= services.Timings.SaveInterval)
        {
            await SaveAsync();
        }

        foreach (var (bucket, log, _) in feed)
        {
            hasMore |= await FinishAsync(bucket, log, cancellationToken);
        }

        return hasMore ? TimeSpan.Zero : Pause();
    }

    /// <summary>Stores what is moved, if that is not stored yet.</summary>
    public async Task SaveAsync()
    {
        if (!_isTaken || (IsKnown && !_open.Values.Any(shard => shard.NeedsSave)))
        {
            return;
        }

        foreach (var shard in _open.Values)
        {
            _lines[shard.Bucket.Topic.Name] = MoverLine.Of(shard.Bucket, shard.Progress);
        }

        await _cursor.WriteAsync([.. _lines.Values]);
        foreach (var shard in _open.Values)
        {
            shard.Saved();
        }

        _sinceSaved = services.Runtime.StartElapsed();
    }

    private async Task TakeAsync(CancellationToken cancellationToken)
    {
        if (_isTaken)
        {
            return;
        }

        var document = await _cursor.TakeAsync(cancellationToken);
        foreach (var line in document.Logs)
        {
            _lines[line.Log] = line;
        }

        _sinceSaved = services.Runtime.StartElapsed();
        _isTaken = true;
    }

    private void OpenNew(IReadOnlyList<OpenBucket> feed)
    {
        // A log that a backlog of older ones has displaced is opened again later, where its line says.
        var listed = feed.Select(open => open.Bucket).ToHashSet();
        foreach (var shard in _open.Values.Where(shard => !listed.Contains(shard.Bucket)).ToList())
        {
            _lines[shard.Bucket.Topic.Name] = MoverLine.Of(shard.Bucket, shard.Progress);
            _open.Remove(shard.Bucket);
        }

        foreach (var (bucket, log, _) in feed)
        {
            if (!_open.ContainsKey(bucket) && !BucketLogs.IsFinished(log[grant.Lease]))
            {
                var progress = _lines.TryGetValue(bucket.Topic.Name, out var line) ? line.ToProgress() : BucketProgress.Nothing;
                _open[bucket] = new BucketShard(
                    bucket, grant.Lease, progress, services.Store, services.Runtime, services.Log, services.PubTimings, _cache, services.Logger);
            }
        }
    }

    /// <summary>Whether there may be more that is due.</summary>
    private async Task<bool> MoveDueAsync(CancellationToken cancellationToken)
    {
        var now = services.Runtime.UnixMilliseconds;
        var room = services.Timings.BatchMessages;
        var batch = new List<(BucketShard Shard, List<DueKey> Keys)>();
        var envelopes = new List<ScheduleEnvelope>();
        try
        {
            foreach (var shard in _open.Values)
            {
                var keys = shard.TakeDue(now, room);
                if (keys.Count > 0)
                {
                    room -= keys.Count;
                    batch.Add((shard, keys));
                    envelopes.AddRange((await shard.LoadAsync(keys, cancellationToken)).OfType<ScheduleEnvelope>());
                }
            }

            await _due.PublishAsync(envelopes, cancellationToken);
        }
        catch
        {
            // Some may be published, and are published again. What was neither moved nor returned would count as moved as soon as something later is.
            batch.ForEach(part => part.Shard.Return(part.Keys));
            throw;
        }

        batch.ForEach(part => part.Shard.Moved(part.Keys));
        return room == 0;
    }

    /// <summary>Closes a log whose time is over, and takes a closed one to its end. Whether there is more to do at once.</summary>
    private async Task<bool> FinishAsync(BucketName bucket, TopicSnapshot log, CancellationToken cancellationToken)
    {
        var state = log[grant.Lease];
        if (!_open.TryGetValue(bucket, out var shard))
        {
            return BucketLogs.IsFinished(log) && await RemoveAsync(bucket);
        }

        var isDrained = BucketShard.IsDrained(state);
        if (!isDrained && (!shard.IsDone || !shard.IsRead(state)))
        {
            return false;
        }

        if (!state.IsClosed)
        {
            var isOver = services.Runtime.Time.GetUtcNow() >= bucket.Minute.End + services.Timings.CloseAfter
                && shard.SinceOpened.Elapsed >= services.Timings.OpenAtLeast;
            return isOver && await CloseAsync(bucket);
        }

        if (!isDrained)
        {
            // An append that reserved before the close has ended by then, or looks and finds the log closed; then what a fallen tail hides is there.
            var isQuiet = shard.SinceClosed is { } since && since.Elapsed >= services.PubTimings.GapTimeout;
            if (!isQuiet || await shard.ProbeAsync(state, cancellationToken))
            {
                return isQuiet;
            }
        }

        return await FinishShardAsync(shard, state);
    }

    private async Task<bool> CloseAsync(BucketName bucket)
    {
        services.Feed.Update(bucket, await services.Logs.CloseAsync(bucket));
        return true;
    }

    private async Task<bool> FinishShardAsync(BucketShard shard, ShardState state)
    {
        var last = Math.Max(shard.Last(state), state.Head.Value - 1);
        var log = await services.Logs.FinishShardAsync(shard.Bucket, grant.Lease, new Offset(last), shard.SetAside);
        _open.Remove(shard.Bucket);
        _lines.Remove(shard.Bucket.Topic.Name);
        services.Feed.Update(shard.Bucket, log);
        var isLast = log is not null && (BucketLogs.IsFinished(log) || services.Runtime.Breaks(BrokenRules.NoClosedBuckets));
        return isLast && await RemoveAsync(shard.Bucket);
    }

    /// <summary>The log first: whoever finds a line without a log takes it out, but nobody looks for a log without a line.</summary>
    private async Task<bool> RemoveAsync(BucketName bucket)
    {
        await services.Logs.RemoveAsync(bucket);
        await services.Directory.RemoveAsync(bucket);
        services.Feed.Update(bucket, null);
        ScheduleLog.LogFinished(services.Logger, bucket.Topic);
        return false;
    }

    private TimeSpan? Pause()
    {
        if (_open.Count == 0)
        {
            return null;
        }

        var now = services.Runtime.UnixMilliseconds;
        var pause = LookInterval;
        foreach (var shard in _open.Values)
        {
            pause = Least(pause, shard.NextHole);
            pause = Least(pause, shard.NextDue is { } due ? TimeSpan.FromMilliseconds(Math.Clamp(due - now, 0, LookInterval.TotalMilliseconds)) : null);
        }

        return pause;
    }

    private static TimeSpan Least(TimeSpan left, TimeSpan? right) => right is { } other && other < left ? other : left;
}

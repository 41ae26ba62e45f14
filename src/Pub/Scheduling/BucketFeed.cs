using Microsoft.Extensions.Logging;
using Pub.Storage;
using Pub.Topics;

namespace Pub.Scheduling;

/// <summary>An open bucket log as last read, and the epoch of its place.</summary>
internal readonly record struct OpenBucket(BucketName Bucket, TopicSnapshot Log, Epoch Epoch);

/// <summary>
/// Tells this process's movers which buckets are to be read and how far they reach. One wait on the directory, and one per open bucket, whatever the number of leases.
/// Everything mutable is under <see cref="_lock"/>.
/// </summary>
internal sealed class BucketFeed(
    IDocumentStore store, PubRuntime runtime, ScheduleDirectory directory, BucketLogs logs, ScheduleTimings timings, ILogger logger) : IDisposable
{
    private static readonly TimeSpan LogWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly SortedDictionary<BucketName, OpenBucket> _open = [];
    private readonly Dictionary<BucketName, CancellationTokenSource> _watches = [];
    private readonly Dictionary<BucketName, long> _updatedAt = [];
    private long _updates;
    private CancellationTokenSource? _running;

    /// <summary>Called, under no lock, when something is open, closed or longer than before.</summary>
    public Action? Changed { get; set; }

    /// <summary>The open buckets, oldest first.</summary>
    public IReadOnlyList<OpenBucket> Open
    {
        get
        {
            lock (_lock)
            {
                return [.. _open.Values];
            }
        }
    }

    public void Start()
    {
        lock (_lock)
        {
            if (_running is not null)
            {
                return;
            }

            _running = new CancellationTokenSource();
        }

        var stop = _running.Token;
        _ = runtime.Start(() => RunAsync(stop));
    }

    public void Stop()
    {
        List<CancellationTokenSource> ended;
        lock (_lock)
        {
            ended = [.. _watches.Values, .. _running is null ? Array.Empty<CancellationTokenSource>() : [_running]];
            _watches.Clear();
            _open.Clear();
            _updatedAt.Clear();
            _running = null;
        }

        ended.ForEach(source => source.Cancel());
    }

    public void Dispose() => Stop();

    /// <summary>Reads the directory and the logs that it lists up to soon.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken = default)
    {
        long began;
        lock (_lock)
        {
            began = _updates;
        }

        var now = runtime.Time.GetUtcNow();
        var last = BucketMinute.Of(now + timings.OpenAhead);
        var names = await directory.ReadAsync(last, timings.OpenBuckets, cancellationToken);
        if (names.Count >= timings.OpenBuckets)
        {
            // What is due now does not wait for a backlog of weeks.
            foreach (var hour in new[] { BucketMinute.Of(now), last }.DistinctBy(minute => (minute.Day, minute.HourOfDay)))
            {
                await directory.ReadHourAsync(hour.Day, hour.HourOfDay, last, names, cancellationToken);
            }
        }

        var found = new SortedDictionary<BucketName, OpenBucket>();
        foreach (var name in names.Distinct())
        {
            if (await logs.ReadAsync(name, cancellationToken) is { } log)
            {
                found[name] = new OpenBucket(name, log, await logs.GetEpochAsync(name, cancellationToken));
            }
            else
            {
                // A line without a log: it is finished, and who finished it died before taking the line out.
                await directory.RemoveAsync(name);
            }
        }

        Replace(found, began);
        Changed?.Invoke();
    }

    /// <summary>A log as somebody has just read it; null: it is gone.</summary>
    public void Update(BucketName bucket, TopicSnapshot? log)
    {
        lock (_lock)
        {
            if (!_open.TryGetValue(bucket, out var known))
            {
                return;
            }

            if (log is null)
            {
                _open.Remove(bucket);
                _updatedAt.Remove(bucket);
            }
            else
            {
                _open[bucket] = known with { Log = log };
                _updatedAt[bucket] = ++_updates;
            }
        }

        Changed?.Invoke();
    }

    /// <summary>A log that was updated since the reading of these began stays as it is: it is newer, and its watch does not tell it twice.</summary>
    private void Replace(SortedDictionary<BucketName, OpenBucket> found, long began)
    {
        var ended = new List<CancellationTokenSource>();
        var begun = new List<(OpenBucket Open, CancellationToken Stop)>();
        lock (_lock)
        {
            foreach (var bucket in _open.Keys.Where(bucket => !found.ContainsKey(bucket)).ToList())
            {
                _open.Remove(bucket);
                _updatedAt.Remove(bucket);
            }

            foreach (var (bucket, open) in found)
            {
                var isNewer = _updatedAt.TryGetValue(bucket, out var updated) && updated > began && _open.ContainsKey(bucket);
                _open[bucket] = isNewer ? open with { Log = _open[bucket].Log } : open;
                if (_running is not null && !_watches.ContainsKey(bucket))
                {
                    var watch = _watches[bucket] = new CancellationTokenSource();
                    begun.Add((open, watch.Token));
                }
            }

            foreach (var bucket in _watches.Keys.Where(bucket => !found.ContainsKey(bucket)).Order().ToList())
            {
                _watches.Remove(bucket, out var watch);
                ended.Add(watch!);
            }
        }

        ended.ForEach(source => source.Cancel());
        begun.ForEach(watch => _ = runtime.Start(() => WatchAsync(watch.Open.Bucket, watch.Open.Log, watch.Stop)));
    }

    private async Task RunAsync(CancellationToken stop)
    {
        var processed = Cas.None;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                // The version from before the refresh: what changes meanwhile ends the wait at once.
                processed = (await store.GetAsync(DirectoryList.Days.Key, stop)).Cas;
                await RefreshAsync(stop);
                await store.WaitAsync(DirectoryList.Days.Key, processed, timings.DirectoryInterval, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
            }
            catch (Exception e)
            {
                ScheduleLog.DirectoryFailed(logger, e);
                await PauseAsync(stop);
            }
        }
    }

    private async Task WatchAsync(BucketName bucket, TopicSnapshot known, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                if (await logs.WaitAsync(bucket, known, LogWait, stop) is not { } log)
                {
                    Update(bucket, null);
                    return;
                }

                if (log.CasOf(0) != known.CasOf(0))
                {
                    Update(bucket, log);
                }

                known = log;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
            }
            catch (Exception e)
            {
                ScheduleLog.DirectoryFailed(logger, e);
                await PauseAsync(stop);
            }
        }
    }

    private async Task PauseAsync(CancellationToken stop) =>
        await runtime.Delay(runtime.Jitter(PauseAfterFailure), stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
}

using Microsoft.Extensions.Logging;
using Pub.Leases;
using Pub.Storage;
using Pub.Topics;

namespace Pub.Scheduling;

/// <summary>Puts the parts of scheduling together: for each process and named store one <see cref="Scheduler"/>, and one <see cref="ScheduleMovers"/>.</summary>
internal sealed class SchedulingSetup
{
    public SchedulingSetup(
        IDocumentStore store, PubRuntime runtime, PubTimings pubTimings, IMoveTargets targets, ILogger logger, ScheduleTimings? timings = null)
    {
        timings ??= ScheduleTimings.Default;
        var log = new ShardLog(store, runtime, pubTimings, logger);
        var logs = new BucketLogs(store, runtime);
        var directory = new ScheduleDirectory(store, runtime, logs, timings);
        var buckets = new BucketLocator(directory, log, runtime, store, timings);
        var move = new TokenMove(store, runtime, log, targets, timings, logger);
        Scheduler = new Scheduler(buckets, new ScheduledTokens(store, runtime, buckets, move, timings));
        var feed = new BucketFeed(store, runtime, directory, logs, timings, logger);
        Services = new MoverServices(store, runtime, pubTimings, timings, log, logs, directory, buckets, feed, move, targets, logger);
    }

    public Scheduler Scheduler { get; }

    public MoverServices Services { get; }

    public ScheduleMovers CreateMovers(SessionKeeper sessions) => new(Services, sessions, Services.Logger);
}

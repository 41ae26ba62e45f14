using Microsoft.Extensions.Logging;
using Pub.Storage;
using Pub.Topics;

namespace Pub.Scheduling;

/// <summary>What all movers of a process share.</summary>
internal sealed record MoverServices(
    IDocumentStore Store,
    PubRuntime Runtime,
    PubTimings PubTimings,
    ScheduleTimings Timings,
    ShardLog Log,
    BucketLogs Logs,
    ScheduleDirectory Directory,
    BucketLocator Buckets,
    BucketFeed Feed,
    TokenMove Tokens,
    IMoveTargets Targets,
    ILogger Logger);

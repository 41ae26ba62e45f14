using Microsoft.Extensions.Logging;

namespace Pub.Scheduling;

/// <summary>What scheduling writes to the log.</summary>
internal static partial class ScheduleLog
{
    [LoggerMessage(300, LogLevel.Warning, "The message scheduled under {Token} for {Target} is dropped: the target is gone, or the message cannot be read.")]
    public static partial void TokenDropped(ILogger logger, string token, string target);

    [LoggerMessage(301, LogLevel.Warning, "The message {Id} for {Target} could not be published when it was due; it is tried again.")]
    public static partial void MoveFailed(ILogger logger, string id, string target, Exception exception);

    [LoggerMessage(302, LogLevel.Error, "The entry {Shard}/{Offset} cannot be read. Its messages are not published, and the entry stays where it is.")]
    public static partial void EntrySetAside(ILogger logger, ShardId shard, long offset, Exception? exception);

    [LoggerMessage(303, LogLevel.Warning, "Moving messages of schedule lease {Lease} failed; it goes on after a pause.")]
    public static partial void StepFailed(ILogger logger, int lease, Exception exception);

    [LoggerMessage(304, LogLevel.Warning, "The directory of schedules could not be read; it is read again after a pause.")]
    public static partial void DirectoryFailed(ILogger logger, Exception exception);

    [LoggerMessage(305, LogLevel.Debug, "The log {Log} is moved and removed.")]
    public static partial void LogFinished(ILogger logger, TopicName log);
}

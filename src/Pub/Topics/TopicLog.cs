using Microsoft.Extensions.Logging;

namespace Pub.Topics;

internal static partial class TopicLog
{
    [LoggerMessage(1001, LogLevel.Warning, "The topic {Topic} exists with {Found}; asked for was {Wanted}. The topic stays as it is.")]
    public static partial void SettingsDiffer(ILogger logger, TopicName topic, TopicSettings found, TopicSettings wanted);

    [LoggerMessage(1002, LogLevel.Debug, "The slot {Offset} of {Shard} was taken or no longer counts; reserving again.")]
    public static partial void SlotLost(ILogger logger, ShardId shard, Offset offset);

    [LoggerMessage(1003, LogLevel.Debug, "The reservation {Offset} of {Shard} is not above this producer's last confirmed offset {LastConfirmed}; thrown away.")]
    public static partial void ReservationThrownAway(ILogger logger, ShardId shard, Offset offset, Offset lastConfirmed);

    [LoggerMessage(1004, LogLevel.Warning, "The topic {Topic} cannot be watched now; trying again.")]
    public static partial void WatchFailed(ILogger logger, Exception exception, TopicName topic);

    [LoggerMessage(1005, LogLevel.Warning, "The bells cannot be read now; trying again.")]
    public static partial void BellsFailed(ILogger logger, Exception exception);

    [LoggerMessage(1006, LogLevel.Debug, "The bell of {Topic} could not be rung; idle readers find the new entries within their fallback.")]
    public static partial void RingFailed(ILogger logger, Exception exception, TopicName topic);

    [LoggerMessage(1007, LogLevel.Error, "A reader of the topic {Topic} threw; it is told of the next change.")]
    public static partial void WatcherThrew(ILogger logger, Exception exception, TopicName topic);
}

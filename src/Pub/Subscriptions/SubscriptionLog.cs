using Microsoft.Extensions.Logging;
using Pub.Storage;

namespace Pub.Subscriptions;

/// <summary>Every log message of the consuming side. Event ids 200 to 249.</summary>
internal static partial class SubscriptionLog
{
    [LoggerMessage(200, LogLevel.Debug, "{Cursor}: written again after trouble of the store")]
    public static partial void CursorRetried(ILogger logger, DocumentKey cursor, Exception exception);

    [LoggerMessage(201, LogLevel.Warning, "{Subscription}, lease {Lease}: reading pauses for {Pause} after trouble of the store")]
    public static partial void ReadRetried(ILogger logger, SubscriptionName subscription, int lease, TimeSpan pause, Exception exception);

    [LoggerMessage(202, LogLevel.Information, "{Shard}: offset {Offset} was reserved and never filled; it is closed")]
    public static partial void HoleClosed(ILogger logger, ShardId shard, Offset offset);

    [LoggerMessage(203, LogLevel.Error, "{Shard}: the entry at offset {Offset} cannot be decoded and goes to the dead-letter queue whole")]
    public static partial void EntryUndecodable(ILogger logger, ShardId shard, Offset offset, Exception exception);

    [LoggerMessage(204, LogLevel.Warning, "{Place}: writing the message to the dead-letter queue is tried again in {Pause}")]
    public static partial void SetAsideRetried(ILogger logger, MessagePlace place, TimeSpan pause, Exception exception);

    [LoggerMessage(205, LogLevel.Debug, "{Subscription}, lease {Lease}: taken under token {Token}")]
    public static partial void LeaseTaken(ILogger logger, SubscriptionName subscription, int lease, long token);

    [LoggerMessage(206, LogLevel.Warning, "{Subscription}, lease {Lease}: lost: {Reason}")]
    public static partial void LeaseLost(ILogger logger, SubscriptionName subscription, int lease, string reason);

    [LoggerMessage(207, LogLevel.Debug, "{Subscription}, lease {Lease}: given up")]
    public static partial void LeaseGivenUp(ILogger logger, SubscriptionName subscription, int lease);

    [LoggerMessage(208, LogLevel.Information, "{Subscription}, lease {Lease}: the cursor was edited from outside; reading goes on from there")]
    public static partial void CursorEdited(ILogger logger, SubscriptionName subscription, int lease);

    [LoggerMessage(209, LogLevel.Error, "{Subscription}, lease {Lease}: stopped; tried again in {Pause}")]
    public static partial void LeaseBroken(ILogger logger, SubscriptionName subscription, int lease, TimeSpan pause, Exception exception);

    [LoggerMessage(210, LogLevel.Warning, "{Subscription}: the handler failed on message {Message} at delivery {Count}; it is delivered again")]
    public static partial void HandlerFailed(ILogger logger, SubscriptionName subscription, string message, int count, Exception exception);

    [LoggerMessage(212, LogLevel.Error, "{Subscription}, lease {Lease}: what a handler registered on its cancellation token threw")]
    public static partial void CancellationThrew(ILogger logger, SubscriptionName subscription, int lease, Exception exception);

    [LoggerMessage(211, LogLevel.Information, "{Subscription}: the subscription was deleted; this consumer has stopped")]
    public static partial void SubscriptionDeleted(ILogger logger, SubscriptionName subscription);

    [LoggerMessage(230, LogLevel.Warning, "{Subscription}: joining the new session is tried again in {Pause}")]
    public static partial void TemporaryRetried(ILogger logger, SubscriptionName subscription, TimeSpan pause, Exception exception);

    [LoggerMessage(231, LogLevel.Information, "{Subscription}: not removed at the end; it goes with its session")]
    public static partial void TemporaryLeft(ILogger logger, SubscriptionName subscription, Exception exception);
}

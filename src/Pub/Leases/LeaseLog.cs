using Microsoft.Extensions.Logging;

namespace Pub.Leases;

/// <summary>Everything that sessions and lease keepers log.</summary>
internal static partial class LeaseLog
{
    [LoggerMessage(1300, LogLevel.Information, "Session {Session} started")]
    public static partial void SessionStarted(this ILogger logger, string session);

    [LoggerMessage(1301, LogLevel.Warning, "Session {Session} is lost: {Reason}. Its leases are given up, a new session is made")]
    public static partial void SessionLost(this ILogger logger, string session, string reason);

    [LoggerMessage(1302, LogLevel.Warning, "A beat of session {Session} failed; it is repeated")]
    public static partial void BeatFailed(this ILogger logger, Exception exception, string session);

    [LoggerMessage(1303, LogLevel.Warning, "What waits for the loss of session {Session} failed")]
    public static partial void LostCallbackFailed(this ILogger logger, Exception exception, string session);

    [LoggerMessage(1304, LogLevel.Warning, "Session {Session} could not be removed; other instances will find it dead")]
    public static partial void SessionNotRemoved(this ILogger logger, Exception exception, string session);

    [LoggerMessage(1305, LogLevel.Warning, "No session could be made; tried again after {Pause}")]
    public static partial void SessionNotMade(this ILogger logger, Exception exception, TimeSpan pause);

    [LoggerMessage(1306, LogLevel.Warning, "Session {Session} ({Name}) is dead: no beat for {Timeout}")]
    public static partial void SessionFoundDead(this ILogger logger, string session, string name, TimeSpan timeout);

    [LoggerMessage(1307, LogLevel.Warning, "Sessions could not be read or judged; tried again soon")]
    public static partial void MonitorFailed(this ILogger logger, Exception exception);

    [LoggerMessage(1308, LogLevel.Warning, "What dead session {Session} left behind could not be removed; tried again after a beat")]
    public static partial void CleaningFailed(this ILogger logger, Exception exception, string session);

    [LoggerMessage(1310, LogLevel.Debug, "Lease {Lease} of {Subscription} taken under token {Token}")]
    public static partial void LeaseTaken(this ILogger logger, int lease, SubscriptionName subscription, long token);

    [LoggerMessage(1311, LogLevel.Debug, "Lease {Lease} of {Subscription} released")]
    public static partial void LeaseReleased(this ILogger logger, int lease, SubscriptionName subscription);

    [LoggerMessage(1312, LogLevel.Warning, "Lease {Lease} of {Subscription} is lost: {Reason}")]
    public static partial void LeaseLost(this ILogger logger, int lease, SubscriptionName subscription, string reason);

    [LoggerMessage(1313, LogLevel.Warning, "The leases of {Subscription} could not be kept; tried again after {Pause}")]
    public static partial void KeepingFailed(this ILogger logger, Exception exception, SubscriptionName subscription, TimeSpan pause);

    [LoggerMessage(1314, LogLevel.Warning, "Lease {Lease} of {Subscription} could not be given up; it is kept")]
    public static partial void GiveUpFailed(this ILogger logger, Exception exception, int lease, SubscriptionName subscription);

    [LoggerMessage(1315, LogLevel.Warning, "The leases of {Subscription} could not be released at stop; others take them when this session is gone")]
    public static partial void NotReleased(this ILogger logger, Exception exception, SubscriptionName subscription);
}

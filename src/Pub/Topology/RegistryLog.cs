using Microsoft.Extensions.Logging;

namespace Pub.Topology;

internal static partial class RegistryLog
{
    [LoggerMessage(1301, LogLevel.Warning, "The registry could not be read again; trying again in {Pause}.")]
    public static partial void RereadFailed(ILogger logger, TimeSpan pause, Exception exception);

    [LoggerMessage(1302, LogLevel.Information, "The subscription {Subscription} was made.")]
    public static partial void Declared(ILogger logger, SubscriptionName subscription);

    [LoggerMessage(1303, LogLevel.Information, "The subscription {Subscription} was deleted.")]
    public static partial void Deleted(ILogger logger, SubscriptionName subscription);

    [LoggerMessage(1304, LogLevel.Information, "The temporary subscription {Subscription} was removed: its session {Session} is dead.")]
    public static partial void TemporaryRemoved(ILogger logger, SubscriptionName subscription, string session);

    [LoggerMessage(1305, LogLevel.Information, "The topic {From} flows into {Into} from now on.")]
    public static partial void FlowRecorded(ILogger logger, TopicName from, TopicName into);

    [LoggerMessage(1306, LogLevel.Error, "A reader of the subscription {Subscription} failed when told of its new state.")]
    public static partial void WatcherFailed(ILogger logger, SubscriptionName subscription, Exception exception);
}

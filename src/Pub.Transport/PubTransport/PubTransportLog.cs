using System.Diagnostics.Metrics;
using Pub;

namespace MassTransit.PubTransport;

/// <summary>What the transport tells, in MassTransit's own log; and what it counts.</summary>
internal static class PubTransportLog
{
    /// <summary>The name of the meter.</summary>
    public const string MeterName = "Pub.Transport";

    private static readonly Meter Meter = new(MeterName);

    private static readonly Counter<long> DroppedMessages = Meter.CreateCounter<long>(
        "pub.transport.dropped", "{message}", "Messages to temporary endpoints that are gone");

    public static void Dropped(TopicName destination, Guid? messageId)
    {
        DroppedMessages.Add(1);
        LogContext.Debug?.Log("DROPPED {Destination} {MessageId}: the temporary endpoint is gone", destination.ToString(), messageId);
    }

    public static void LeaseLost(Uri inputAddress, string messageId) =>
        LogContext.Info?.Log("Lease lost: {InputAddress} {MessageId} will be delivered again", inputAddress, messageId);

    public static void SettleFailed(Uri inputAddress, string messageId, Exception exception) =>
        LogContext.Warning?.Log(exception, "Could not settle: {InputAddress} {MessageId} will be delivered again", inputAddress, messageId);

    public static void PurgeDone(Uri inputAddress) => LogContext.Info?.Log("Purged: {InputAddress}", inputAddress);

    public static void RemoveFailed(Uri inputAddress, Exception exception) =>
        LogContext.Debug?.Log(exception, "Temporary endpoint not removed: {InputAddress}; it goes with its session", inputAddress);
}

using System.Globalization;
using MassTransit.Transports;
using Pub;

namespace MassTransit.Scheduling;

/// <summary>Schedules with the store's own schedules. A message is cancelled by its token alone, wherever it was to go.</summary>
internal sealed class PubScheduleMessageProvider(PubClient client, ISendEndpointProvider sendEndpointProvider) : IScheduleMessageProvider
{
    public async Task<ScheduledMessage<T>> ScheduleSend<T>(
        Uri destinationAddress, DateTime scheduledTime, T message, IPipe<SendContext<T>> pipe, CancellationToken cancellationToken)
        where T : class
    {
        if (!MessageTypeCache<T>.IsValidMessageType)
        {
            throw new ArgumentException(MessageTypeCache<T>.InvalidMessageTypeReason, nameof(message));
        }

        var schedulePipe = new ScheduleSendPipe<T>(pipe, scheduledTime) { ScheduledMessageId = ScheduleTokenIdCache<T>.GetTokenId(message) };
        var endpoint = await sendEndpointProvider.GetSendEndpoint(destinationAddress);
        await endpoint.Send(message, schedulePipe, cancellationToken);
        var tokenId = schedulePipe.ScheduledMessageId ?? throw new InvalidOperationException("The message was sent without a scheduling token.");
        LogContext.Debug?.Log(
            "SCHED {DestinationAddress} {MessageId} {MessageType} {DeliveryTime:G} {Token}",
            destinationAddress, schedulePipe.MessageId, TypeCache<T>.ShortName, scheduledTime, tokenId);
        return new ScheduledMessageHandle<T>(tokenId, scheduledTime, destinationAddress, message);
    }

    public async Task CancelScheduledSend(Guid tokenId, CancellationToken cancellationToken)
    {
        var result = await client.Scheduler.CancelAsync(tokenId.ToString("N", CultureInfo.InvariantCulture), cancellationToken);
        LogContext.Debug?.Log("CANCEL {TokenId}: {Result}", tokenId, result);
    }

    public Task CancelScheduledSend(Uri destinationAddress, Guid tokenId, CancellationToken cancellationToken) =>
        CancelScheduledSend(tokenId, cancellationToken);
}

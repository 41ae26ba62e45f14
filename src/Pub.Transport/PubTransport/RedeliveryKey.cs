namespace MassTransit.PubTransport;

/// <summary>
/// A message that an endpoint sends to itself again, later, keeps its partition key. Other messages that a consumer sends do not get it: a request to the
/// consumer's own endpoint under its own key would wait for itself (facts, 1.6).
/// </summary>
internal static class RedeliveryKey
{
    public static void CopyTo<T>(PubMessageSendContext<T> context)
        where T : class
    {
        if (context.PartitionKey is null
            && context.Delay is not null
            && context.TryGetPayload<ConsumeContext>(out var consumeContext)
            && consumeContext.ReceiveContext.InputAddress == context.DestinationAddress
            && context.MessageId is not null && (context.MessageId == consumeContext.MessageId || context.Headers.TryGetHeader(MessageHeaders.RedeliveryCount, out _))
            && consumeContext.TryGetPayload<PubMessageContext>(out var pub))
        {
            context.PartitionKey = pub.PartitionKey;
        }
    }
}

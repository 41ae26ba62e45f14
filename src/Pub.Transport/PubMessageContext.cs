using Pub;

namespace MassTransit;

/// <summary>What Pub knows of a message that is being consumed: <c>context.TryGetPayload(out PubMessageContext pub)</c>.</summary>
public interface PubMessageContext :
    RoutingKeyConsumeContext,
    PartitionKeyConsumeContext
{
    /// <summary>Where the message lies: topic or queue, shard, offset and index.</summary>
    MessagePlace Place { get; }

    /// <summary>1 at the first delivery.</summary>
    int DeliveryCount { get; }

    /// <summary>Rises with every delivery of the endpoint in this process: the order of arrival.</summary>
    long ArrivalNumber { get; }

    /// <summary>When the message was sent, by its publisher's clock.</summary>
    DateTimeOffset Sent { get; }
}

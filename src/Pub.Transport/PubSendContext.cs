namespace MassTransit;

/// <summary>What can be said about a message that is being sent through Pub.</summary>
public interface PubSendContext :
    SendContext,
    RoutingKeySendContext,
    PartitionKeySendContext
{
}

/// <summary>What can be said about a message that is being sent through Pub.</summary>
public interface PubSendContext<out T> :
    SendContext<T>,
    PubSendContext
    where T : class
{
}

using MassTransit.Context;

namespace MassTransit.PubTransport;

/// <summary>A message on its way out. What is not in the body survives the outbox and schedulers as properties (facts, 1.2).</summary>
internal sealed class PubMessageSendContext<T>(T message, CancellationToken cancellationToken) :
    MessageSendContext<T>(message, cancellationToken),
    PubSendContext<T>
    where T : class
{
    public string? PartitionKey { get; set; }

    public string? RoutingKey { get; set; }

    public override void ReadPropertiesFrom(IReadOnlyDictionary<string, object> properties)
    {
        base.ReadPropertiesFrom(properties);
        PartitionKey = ReadString(properties, PropertyNames.PartitionKey);
        RoutingKey = ReadString(properties, PropertyNames.RoutingKey);
    }

    public override void WritePropertiesTo(IDictionary<string, object> properties)
    {
        base.WritePropertiesTo(properties);
        if (!string.IsNullOrWhiteSpace(PartitionKey))
        {
            properties[PropertyNames.PartitionKey] = PartitionKey;
        }

        if (!string.IsNullOrWhiteSpace(RoutingKey))
        {
            properties[PropertyNames.RoutingKey] = RoutingKey;
        }
    }
}

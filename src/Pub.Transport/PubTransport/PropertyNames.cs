namespace MassTransit.PubTransport;

/// <summary>Transport properties, as other transports call them.</summary>
internal static class PropertyNames
{
    public const string PartitionKey = "PartitionKey";
    public const string RoutingKey = "RoutingKey";
}

using System.Net.Mime;
using MassTransit.Context;
using MassTransit.Transports;
using Pub;

namespace MassTransit.PubTransport;

/// <summary>One delivery, as MassTransit's receive pipe sees it.</summary>
internal sealed class PubReceiveContext :
    BaseReceiveContext,
    PubMessageContext,
    TransportReceiveContext,
    ITransportSequenceNumber
{
    private readonly Delivery _delivery;

    public PubReceiveContext(Delivery delivery, PubReceiveEndpointContext context, ClientContext client, PubReceiveLockContext receiveLock)
        : base(delivery.DeliveryCount > 1, context, client, receiveLock)
    {
        _delivery = delivery;
        Body = new MemoryMessageBody(delivery.Message.Body);
    }

    public Message Message => _delivery.Message;

    public override MessageBody Body { get; }

    public string? PartitionKey => Message.Key;

    public string? RoutingKey => Message.Headers.TryGetValue(PropertyNames.RoutingKey, out var routingKey) ? routingKey : null;

    public MessagePlace Place => _delivery.Place;

    public int DeliveryCount => _delivery.DeliveryCount;

    public long ArrivalNumber => _delivery.ArrivalNumber;

    public DateTimeOffset Sent => Message.Sent;

    /// <summary>The number of arrival at this endpoint: batches sort by it, and offsets of different shards cannot be compared (facts, 1.6).</summary>
    public ulong? SequenceNumber => (ulong)_delivery.ArrivalNumber;

    protected override IHeaderProvider HeaderProvider => new PubHeaderProvider(Message);

    public IDictionary<string, object>? GetTransportProperties()
    {
        if (PartitionKey is null && RoutingKey is null)
        {
            return null;
        }

        var properties = new Dictionary<string, object>();
        if (PartitionKey is { } partitionKey)
        {
            properties[PropertyNames.PartitionKey] = partitionKey;
        }

        if (RoutingKey is { } routingKey)
        {
            properties[PropertyNames.RoutingKey] = routingKey;
        }

        return properties;
    }

    protected override ContentType GetContentType() => ConvertToContentType(Message.ContentType);
}

using System.Globalization;
using Pub;

namespace MassTransit.PubTransport;

/// <summary>What of a message goes where: the body as it is, ids and headers beside it as text.</summary>
internal static class OutgoingMessages
{
    public static OutgoingMessage From<T>(PubMessageSendContext<T> context)
        where T : class
    {
        // Serializers without an envelope put ids into the headers while they write the body.
        var body = context.Body.GetBytes();
        var headers = HeaderText.From(context.Headers);
        if (!string.IsNullOrEmpty(context.RoutingKey))
        {
            headers[PropertyNames.RoutingKey] = context.RoutingKey;
        }

        return new OutgoingMessage
        {
            Id = context.MessageId?.ToString("D", CultureInfo.InvariantCulture),
            Key = string.IsNullOrEmpty(context.PartitionKey) ? null : context.PartitionKey,
            Type = context.SupportedMessageTypes.FirstOrDefault(),
            ContentType = context.ContentType?.ToString() ?? OutgoingMessage.DefaultContentType,
            Headers = headers,
            Body = body,
            // Of what is scheduled it counts from when it is due, since nothing says when it was sent.
            TimeToLive = context.TimeToLive is { } limit && limit > TimeSpan.Zero ? limit : null,
        };
    }
}

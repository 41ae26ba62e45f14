using System.Diagnostics.CodeAnalysis;
using MassTransit.Transports;
using Pub;

namespace MassTransit.PubTransport;

/// <summary>The transport headers of a message, and what Pub keeps beside them.</summary>
internal sealed class PubHeaderProvider(Message message) : IHeaderProvider
{
    public IEnumerable<KeyValuePair<string, object>> GetAll() => message.Headers.Select(header => KeyValuePair.Create<string, object>(header.Key, header.Value));

    public bool TryGetHeader(string key, [NotNullWhen(true)] out object? value)
    {
        value = message.Headers.TryGetValue(key, out var text) ? text : key switch
        {
            MessageHeaders.MessageId or MessageHeaders.TransportMessageId => Guid.TryParse(message.Id, out _) ? message.Id : null,
            MessageHeaders.ContentType => message.ContentType,
            MessageHeaders.MessageType => message.Type,
            MessageHeaders.TransportSentTime => message.Sent.UtcDateTime,
            _ => null,
        };
        return value is not null;
    }
}

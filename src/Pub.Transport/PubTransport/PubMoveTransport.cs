using MassTransit.Serialization;
using MassTransit.Transports;
using Pub;

namespace MassTransit.PubTransport;

/// <summary>
/// Writes a message as it came into another queue, with more headers. The caller settles the original afterwards: a crash between the two repeats the
/// copy, and never loses the message.
/// </summary>
internal abstract class PubMoveTransport(TopicName queue)
{
    protected async Task MoveAsync(ReceiveContext context, Action<SendHeaders> addHeaders)
    {
        if (!context.TryGetPayload<ClientContext>(out var client) || !context.TryGetPayload<PubReceiveContext>(out var received))
        {
            throw new ArgumentException("The message did not come through this transport.", nameof(context));
        }

        var headers = new DictionarySendHeaders();
        headers.SetHostHeaders();
        addHeaders(headers);
        var texts = new Dictionary<string, string>(received.Message.Headers, StringComparer.Ordinal);
        foreach (var (name, text) in HeaderText.From(headers))
        {
            texts[name] = text;
        }

        await client.Client.Producer.PublishAsync(queue, received.Message.ToOutgoing(texts, expires: false));
    }
}

/// <summary>Takes messages whose consumer failed into <c>_error</c>.</summary>
internal sealed class PubErrorTransport(TopicName queue) : PubMoveTransport(queue), IErrorTransport
{
    public Task Send(ExceptionReceiveContext context) => MoveAsync(context, headers => headers.CopyFrom(context.ExceptionHeaders));
}

/// <summary>Takes messages that no consumer handles into <c>_skipped</c>.</summary>
internal sealed class PubDeadLetterTransport(TopicName queue) : PubMoveTransport(queue), IDeadLetterTransport
{
    public Task Send(ReceiveContext context, string reason) =>
        MoveAsync(context, headers => headers.Set(MessageHeaders.Reason, reason ?? "Unspecified"));
}

using System.Globalization;
using MassTransit.Transports;
using Pub;

namespace MassTransit.PubTransport;

/// <summary>Sends to one queue or topic: appends once, or schedules what has a delay.</summary>
internal sealed class PubSendTransportContext :
    BaseSendTransportContext,
    SendTransportContext<ClientContext>
{
    private readonly PubReceiveEndpointContext _context;
    private readonly TopicName _destination;

    public PubSendTransportContext(PubReceiveEndpointContext context, TopicName destination, string entityName)
        : base(context.Host, context.Serialization)
    {
        _context = context;
        _destination = destination;
        EntityName = entityName;
    }

    /// <summary>What must be recorded before the first message, for a published type.</summary>
    public PublishFlows? Flows { get; init; }

    /// <summary>A temporary endpoint's: a message to it is dropped when it is gone.</summary>
    public bool OnlyIfExists { get; init; }

    public override string EntityName { get; }

    public override string ActivitySystem => "pub";

    public override async Task<SendContext<T>> CreateSendContext<T>(T message, IPipe<SendContext<T>> pipe, CancellationToken cancellationToken)
    {
        var sendContext = new PubMessageSendContext<T>(message, cancellationToken);
        await pipe.Send(sendContext);
        RedeliveryKey.CopyTo(sendContext);
        return sendContext;
    }

    public Task<SendContext<T>> CreateSendContext<T>(
        ClientContext context, T message, IPipe<SendContext<T>> pipe, CancellationToken cancellationToken)
        where T : class => CreateSendContext(message, pipe, cancellationToken);

    // The core tries again while the store is away, and says what became of the message; nothing to supervise or repeat here.
    public Task Send(IPipe<ClientContext> pipe, CancellationToken cancellationToken = default) =>
        pipe.Send(new ClientContext(_context.Host.Settings.Client, cancellationToken));

    public async Task Send<T>(ClientContext transportContext, SendContext<T> sendContext)
        where T : class
    {
        var context = sendContext as PubMessageSendContext<T> ?? throw new ArgumentException("The context is not one of this transport.", nameof(sendContext));
        var cancellationToken = context.CancellationToken;
        cancellationToken.ThrowIfCancellationRequested();
        if (Flows is not null)
        {
            await Flows.EnsureAsync(transportContext.Client, cancellationToken);
        }

        var message = OutgoingMessages.From(context);
        var options = new PublishOptions { OnlyIfExists = OnlyIfExists };
        if (context.Delay is { } delay && delay > TimeSpan.Zero)
        {
            await ScheduleAsync(transportContext.Client, context, message, delay, options);
            return;
        }

        var result = await transportContext.Client.Producer.PublishAsync(_destination, message, options, cancellationToken);
        if (result.IsDropped)
        {
            PubTransportLog.Dropped(_destination, context.MessageId);
        }
    }

    public void Probe(ProbeContext context) => context.CreateScope("pub").Add("destination", _destination.ToString());

    private async Task ScheduleAsync<T>(PubClient client, PubMessageSendContext<T> context, OutgoingMessage message, TimeSpan delay, PublishOptions options)
        where T : class
    {
        var due = client.Core.Time.GetUtcNow() + delay;
        if (TokenOf(context) is { } token)
        {
            await client.Scheduler.ScheduleAsync(
                token.ToString("N", CultureInfo.InvariantCulture), _destination, message, due, options, context.CancellationToken);
        }
        else
        {
            await client.Scheduler.ScheduleAsync(_destination, message, due, options, context.CancellationToken);
        }
    }

    // An outbox keeps headers, not the property.
    private static Guid? TokenOf(SendContext context) =>
        context.ScheduledMessageId ?? (Guid.TryParse(context.Headers.Get<string>(MessageHeaders.SchedulingTokenId), out var token) ? token : null);
}

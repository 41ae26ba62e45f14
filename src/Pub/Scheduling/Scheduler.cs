using Pub.Scheduling;

namespace Pub;

/// <summary>
/// Sends messages later: each is stored durably now, and published to its topic or queue when it is due, by whichever process holds the lease on it.
/// One per process and named store; any number of callers at a time.
/// </summary>
/// <remarks>
/// A message is published within 100 ms of its due time, by the clocks of the publisher and of the process that moves it. What is due already is published at
/// once. After a crash a message may be published twice, as with any publish.
/// </remarks>
public sealed class Scheduler
{
    private readonly BucketLocator _buckets;
    private readonly ScheduledTokens _tokens;

    /// <summary>Called before anything is scheduled: somebody has to move it when it is due.</summary>
    internal Action? Using { get; set; }

    internal Scheduler(BucketLocator buckets, ScheduledTokens tokens)
    {
        _buckets = buckets;
        _tokens = tokens;
    }

    /// <summary>Publishes the message when it is due. Returns when it is stored durably.</summary>
    /// <param name="target">The topic or queue; made when the message is due, if it does not exist then.</param>
    /// <param name="message">The message. Without <see cref="OutgoingMessage.Sent"/> it counts as sent when it is due.</param>
    /// <param name="due">When to publish it.</param>
    /// <param name="cancellationToken">Ends the call before anything is written.</param>
    /// <exception cref="ArgumentException">The message has the header <c>pub-schedule</c>, which is Pub's own.</exception>
    /// <exception cref="MessageTooLargeException">The message is larger than an entry can be.</exception>
    /// <exception cref="StoreUnavailableException">It was certainly not scheduled.</exception>
    /// <exception cref="OutcomeUnknownException">It may be scheduled.</exception>
    public ValueTask ScheduleAsync(TopicName target, OutgoingMessage message, DateTimeOffset due, CancellationToken cancellationToken = default) =>
        ScheduleAsync(target, message, due, default, cancellationToken);

    /// <summary>Publishes the message when it is due, with options of its own. Returns when it is stored durably.</summary>
    /// <param name="target">The topic or queue.</param>
    /// <param name="message">The message. Without <see cref="OutgoingMessage.Sent"/> it counts as sent when it is due.</param>
    /// <param name="due">When to publish it.</param>
    /// <param name="options">How it is published when it is due.</param>
    /// <param name="cancellationToken">Ends the call before anything is written.</param>
    /// <inheritdoc cref="ScheduleAsync(TopicName, OutgoingMessage, DateTimeOffset, CancellationToken)" path="/exception"/>
    public ValueTask ScheduleAsync(
        TopicName target, OutgoingMessage message, DateTimeOffset due, PublishOptions options, CancellationToken cancellationToken = default)
    {
        var wrapped = ScheduleHeader.Wrap(Checked(target, message, due, options));
        cancellationToken.ThrowIfCancellationRequested();
        Using?.Invoke();
        return new ValueTask(_buckets.AppendAsync(wrapped, due));
    }

    /// <summary>
    /// Publishes the message when it is due, unless it is cancelled before by its token alone. Scheduling again under the same token replaces what is
    /// pending under it, so a call may be repeated after <see cref="OutcomeUnknownException"/>.
    /// </summary>
    /// <param name="token">Identifies the message for <see cref="CancelAsync"/>, in this store; 1 to 200 bytes of UTF-8, letters, digits and <c>- _ . :</c>.</param>
    /// <param name="target">The topic or queue; made when the message is due, if it does not exist then.</param>
    /// <param name="message">The message. Without <see cref="OutgoingMessage.Sent"/> it counts as sent when it is due.</param>
    /// <param name="due">When to publish it.</param>
    /// <param name="cancellationToken">Ends the call before anything is written.</param>
    /// <inheritdoc cref="ScheduleAsync(TopicName, OutgoingMessage, DateTimeOffset, CancellationToken)" path="/exception"/>
    public ValueTask ScheduleAsync(string token, TopicName target, OutgoingMessage message, DateTimeOffset due, CancellationToken cancellationToken = default) =>
        ScheduleAsync(token, target, message, due, default, cancellationToken);

    /// <summary>As the call without options; <paramref name="options"/> say how it is published when it is due.</summary>
    /// <param name="token">Identifies the message for <see cref="CancelAsync"/>, in this store; 1 to 200 bytes of UTF-8, letters, digits and <c>- _ . :</c>.</param>
    /// <param name="target">The topic or queue.</param>
    /// <param name="message">The message. Without <see cref="OutgoingMessage.Sent"/> it counts as sent when it is due.</param>
    /// <param name="due">When to publish it.</param>
    /// <param name="options">How it is published when it is due.</param>
    /// <param name="cancellationToken">Ends the call before anything is written.</param>
    /// <inheritdoc cref="ScheduleAsync(TopicName, OutgoingMessage, DateTimeOffset, CancellationToken)" path="/exception"/>
    public ValueTask ScheduleAsync(
        string token, TopicName target, OutgoingMessage message, DateTimeOffset due, PublishOptions options, CancellationToken cancellationToken = default)
    {
        NameRules.Check(token, nameof(token));
        var scheduled = Checked(target, message, due, options);
        cancellationToken.ThrowIfCancellationRequested();
        Using?.Invoke();
        return new ValueTask(_tokens.ScheduleAsync(token, scheduled));
    }

    /// <summary>Cancels what is scheduled under a token.</summary>
    /// <param name="token">The token that the message was scheduled with.</param>
    /// <param name="cancellationToken">Ends the call before anything is written.</param>
    /// <exception cref="StoreUnavailableException">It was certainly not cancelled by this call.</exception>
    /// <exception cref="OutcomeUnknownException">It may be cancelled; cancel again to know.</exception>
    public ValueTask<CancelResult> CancelAsync(string token, CancellationToken cancellationToken = default) =>
        new(_tokens.CancelAsync(NameRules.Check(token, nameof(token)), cancellationToken));

    /// <summary>
    /// Schedules many at once, without cancel: for redeliveries, whose target is the subscription's own queue. Returns when all are stored durably. If it
    /// throws, some may be scheduled.
    /// </summary>
    internal ValueTask ScheduleManyAsync(IReadOnlyList<ScheduledMessage> messages, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Using?.Invoke();
        return new ValueTask(_buckets.AppendAsync(messages));
    }

    private static ScheduledMessage Checked(TopicName target, OutgoingMessage message, DateTimeOffset due, PublishOptions options)
    {
        ArgumentNullException.ThrowIfNull(message);
        _ = target.Name;
        return new ScheduledMessage(target, message, due, options);
    }
}

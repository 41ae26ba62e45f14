using System.Globalization;
using Pub.Scheduling;
using Pub.Topics;

namespace Pub.Subscriptions;

/// <summary>Writes messages elsewhere with the schedules and the producer; the caller settles them where they lay once that is done.</summary>
internal sealed class SetAside(PubRuntime runtime, Producer producer, Scheduler scheduler) : ISetAside
{
    /// <summary>
    /// What the headers added here can take, as stored: the application's messages are that much smaller than a document may be, so that each can be set aside.
    /// </summary>
    public const int HeaderBytes = 32 * 1024;

    private const int ExceptionChars = 2_000;
    private const int UndecodableBytes = 65_536;

    public ValueTask DelayAsync(SubscriptionName subscription, MessagePlace place, Message message, int deliveries, TimeSpan delay)
    {
        var headers = OriginOf(subscription, place, message);
        headers[PubHeaders.Deliveries] = deliveries.ToString(CultureInfo.InvariantCulture);
        var again = message.ToOutgoing(headers);

        // Never back to the topic: every other subscription would get it again (executions.md 17).
        var target = runtime.Breaks(BrokenRules.NackToTopic) ? place.Shard.Topic : subscription.OwnQueue;
        return scheduler.ScheduleManyAsync([new ScheduledMessage(target, again, runtime.Time.GetUtcNow() + delay)]);
    }

    public async ValueTask DeadLetterAsync(
        TopicName queue, SubscriptionName subscription, MessagePlace place, Message message, int deliveries, string reason, Exception? exception)
    {
        var headers = OriginOf(subscription, place, message);
        headers[PubHeaders.Deliveries] = deliveries.ToString(CultureInfo.InvariantCulture);
        AddReason(headers, reason, exception);
        await producer.PublishAsync(queue, message.ToOutgoing(headers, expires: false));
    }

    public async ValueTask DeadLetterAsync(TopicName queue, SubscriptionName subscription, ShardId shard, Offset offset, Entry entry)
    {
        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        AddOrigin(headers, subscription, new MessagePlace(shard, Position.StartOf(offset)));
        AddReason(headers, DeadLetterReasons.Undecodable, entry.Error);
        try
        {
            await producer.PublishAsync(queue, Raw(entry.Content, headers));
        }
        catch (MessageTooLargeException)
        {
            // Bytes that fill a document do not fit into a message: their beginning tells what they were, and the shard goes on.
            await producer.PublishAsync(queue, Raw(entry.Content[..UndecodableBytes], headers));
        }
    }

    private static OutgoingMessage Raw(ReadOnlyMemory<byte> content, Dictionary<string, string> headers) =>
        new() { ContentType = "application/octet-stream", Body = content, Headers = headers };

    /// <summary>The message's headers, with where it was first read from.</summary>
    private static Dictionary<string, string> OriginOf(SubscriptionName subscription, MessagePlace place, Message message)
    {
        var headers = new Dictionary<string, string>(message.Headers, StringComparer.Ordinal);
        if (!headers.ContainsKey(PubHeaders.OriginTopic))
        {
            AddOrigin(headers, subscription, place);
        }

        headers[PubHeaders.OriginSubscription] = subscription.ToString();
        return headers;
    }

    private static void AddOrigin(Dictionary<string, string> headers, SubscriptionName subscription, MessagePlace place)
    {
        headers[PubHeaders.OriginTopic] = place.Shard.Topic.ToString();
        headers[PubHeaders.OriginShard] = place.Shard.Number.ToString(CultureInfo.InvariantCulture);
        headers[PubHeaders.OriginPosition] = place.Position.ToString();
        headers[PubHeaders.OriginSubscription] = subscription.ToString();
    }

    private void AddReason(Dictionary<string, string> headers, string reason, Exception? exception)
    {
        headers[PubHeaders.Reason] = reason;
        headers[PubHeaders.DeadLettered] = runtime.Time.GetUtcNow().ToString("O", CultureInfo.InvariantCulture);
        if (exception is not null)
        {
            var text = $"{exception.GetType().FullName}: {exception.Message}";
            headers[PubHeaders.Exception] = text.Length <= ExceptionChars ? text : text[..ExceptionChars];
        }
    }
}

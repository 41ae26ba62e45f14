namespace Pub;

/// <summary>
/// The headers that Pub itself puts on messages that were set aside: redelivered after a delay, or dead-lettered. All others are the publisher's.
/// </summary>
public static class PubHeaders
{
    /// <summary>How often the message had been delivered before it was set aside: a whole number.</summary>
    public const string Deliveries = "pub-deliveries";

    /// <summary>The topic or queue that the message was first read from, as <c>t:name</c> or <c>q:name</c>.</summary>
    public const string OriginTopic = "pub-origin-topic";

    /// <summary>The shard that it was first read from.</summary>
    public const string OriginShard = "pub-origin-shard";

    /// <summary>Its position there, as <c>offset.index</c>.</summary>
    public const string OriginPosition = "pub-origin-position";

    /// <summary>The subscription that set it aside, as <c>q:name</c> or <c>s:name</c>. A requeue goes to the own queue of that one alone.</summary>
    public const string OriginSubscription = "pub-origin-subscription";

    /// <summary>Why it was dead-lettered: <c>too-many-deliveries</c>, <c>expired</c>, <c>undecodable</c>, or the handler's own reason.</summary>
    public const string Reason = "pub-reason";

    /// <summary>Type and message of the exception that led there, up to 2,000 characters.</summary>
    public const string Exception = "pub-exception";

    /// <summary>When it was dead-lettered, in ISO 8601, by the consumer's clock.</summary>
    public const string DeadLettered = "pub-dead-lettered";

    /// <summary>Whether the header is one of these.</summary>
    internal static bool IsOwn(string name) =>
        name is Deliveries or OriginTopic or OriginShard or OriginPosition or OriginSubscription or Reason or Exception or DeadLettered;
}

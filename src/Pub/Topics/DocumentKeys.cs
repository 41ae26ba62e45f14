using System.Globalization;
using Pub.Storage;

namespace Pub.Topics;

/// <summary>
/// Every key of every document (docs/documents.md). '/' separates parts and is in no name, so no two documents share a key (executions.md 26).
/// A name too long for a key is shortened with a hash; the document carries the full name.
/// </summary>
internal static class DocumentKeys
{
    /// <summary>Shards per topic document: the document is hot, and sub-document counters cost by its size.</summary>
    public const int ShardsPerDocument = 16;

    public static DocumentKey Bells => new(DocumentCollection.Offsets, "bells");

    public static DocumentKey Sessions => new(DocumentCollection.Leases, "sessions");

    public static DocumentKey ScheduleDays => new(DocumentCollection.Schedules, "days");

    public static DocumentKey ScheduleDay(string day) => new(DocumentCollection.Schedules, "day/" + day);

    public static DocumentKey ScheduleHour(string day, string hourOfDay) => new(DocumentCollection.Schedules, $"hour/{day}T{hourOfDay}");

    public static DocumentKey ScheduledToken(string token) => new(DocumentCollection.Schedules, "token/" + NameRules.KeyPart(token));

    public static DocumentKey ScheduleMover(int lease) => new(DocumentCollection.Schedules, "mover/" + Text(lease));

    public static DocumentKey Topic(TopicName topic, int part) =>
        new(DocumentCollection.Offsets, part == 0 ? Part(topic) : $"{Part(topic)}/{Text(part)}");

    /// <summary>All slots of one shard share this beginning; the offset follows.</summary>
    public static string EntryPrefix(ShardId shard) => $"{Part(shard.Topic)}/{Text(shard.Number)}/";

    public static DocumentKey Entry(string entryPrefix, Offset offset) => new(DocumentCollection.Messages, entryPrefix + Text(offset.Value));

    public static DocumentKey Entry(ShardId shard, Offset offset) => Entry(EntryPrefix(shard), offset);

    public static DocumentKey Cursor(SubscriptionName subscription, string incarnation, int lease) =>
        new(DocumentCollection.Cursors, $"{Part(subscription)}/{incarnation}/{Text(lease)}");

    public static DocumentKey Session(string session) => new(DocumentCollection.Leases, "session/" + session);

    public static DocumentKey Assignment(SubscriptionName subscription, string incarnation) =>
        new(DocumentCollection.Leases, $"assignment/{Part(subscription)}/{incarnation}");

    public static DocumentKey TopicTopology(TopicName topic) => new(DocumentCollection.Topology, "topic/" + Part(topic));

    public static DocumentKey Subscription(SubscriptionName subscription) => new(DocumentCollection.Topology, "subscription/" + Part(subscription));

    public static DocumentKey Catalog(int page) => new(DocumentCollection.Topology, "catalog/" + Text(page));

    private static string Part(TopicName topic) => NameRules.KeyPart(topic.ToString());

    private static string Part(SubscriptionName subscription) => NameRules.KeyPart(subscription.ToString());

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}

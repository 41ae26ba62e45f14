using Pub.Storage;
using Pub.Subscriptions;
using Pub.Topics;
using Pub.Topology;

namespace Pub.Trimming;

/// <summary>A subscription that reads a topic, directly or by flows, with its start on it.</summary>
internal sealed record TopicReaderView(SubscriptionName Name, string Incarnation, int LeaseCount, string? Session, SubscriptionSource Source)
{
    public DocumentKey CursorOf(int shard) => DocumentKeys.Cursor(Name, Incarnation, shard % LeaseCount);
}

/// <summary>Finds out who reads a topic, and where they stand. Reads everything anew each time. Holds no state.</summary>
internal sealed class TopicReaders(IDocumentStore store, TopologyStore topology)
{
    /// <summary>
    /// Every subscription whose declaration, and every flow whose recording, had returned when this call began. Ordered by name.
    /// </summary>
    public async Task<IReadOnlyList<TopicReaderView>> ReadAsync(TopicName topic, CancellationToken cancellationToken)
    {
        // The order matters: a topic before what it flows into, a list of readers before their records; they are written the other way round.
        var flows = await topology.ReadDownstreamAsync([topic.ToString()], cancellationToken);
        SubscriptionName[] names = [.. flows.Readers.Select(SubscriptionName.Parse).Distinct().Order()];
        var readers = new List<TopicReaderView>(names.Length);
        foreach (var record in names.Length == 0 ? [] : await topology.ReadSubscriptionsAsync(names, cancellationToken))
        {
            // The list may name an incarnation that is gone; the record knows. No record: deleted, and not cleaned up yet.
            if (record is { Deleted: false } && flows.View(record) is var view && view.Sources.FirstOrDefault(source => source.Topic == topic) is { } source)
            {
                readers.Add(new TopicReaderView(view.Name, view.Incarnation, view.LeaseCount, record.Session, source));
            }
        }

        return readers;
    }

    /// <summary>
    /// The stored floors of the readers by shard: a cursor's, else the start; at least the head. Of a shard without entries the head: there
    /// is nothing to trim, so no cursor is read.
    /// </summary>
    public async Task<Position[][]> ReadFloorsAsync(
        TopicSnapshot topic, IReadOnlyList<TopicReaderView> readers, CancellationToken cancellationToken)
    {
        int[] filled = [.. Enumerable.Range(0, topic.ShardCount).Where(n => topic[n].Last >= topic[n].Head)];
        DocumentKey[] keys = [.. readers.SelectMany(reader => filled.Select(reader.CursorOf)).Distinct()];
        var stored = keys.Length == 0 ? [] : await store.GetManyAsync(keys, cancellationToken);
        var cursors = new Dictionary<DocumentKey, CursorDocument>(keys.Length);
        for (var i = 0; i < keys.Length; i++)
        {
            cursors[keys[i]] = CursorDocument.Read(keys[i], stored[i]);
        }

        var floors = new Position[topic.ShardCount][];
        for (var n = 0; n < floors.Length; n++)
        {
            var shard = new ShardId(topic.Name, n);
            var head = Position.StartOf(topic[n].Head);
            floors[n] = [.. readers.Select(reader => Position.Max(head, FloorOf(reader, shard)))];
        }

        return floors;

        Position FloorOf(TopicReaderView reader, ShardId shard) =>
            topic[shard.Number].Last < topic[shard.Number].Head ? Position.Beginning
            : cursors[reader.CursorOf(shard.Number)].Find(shard)?.Floor ?? reader.Source.StartOf(shard.Number);
    }
}

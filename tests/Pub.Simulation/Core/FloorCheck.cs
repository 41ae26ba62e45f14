using Pub.Simulation.Kernel;
using Pub.Storage;
using Pub.Subscriptions;
using Pub.Topics;
using Pub.Topology;

namespace Pub.Simulation.Core;

/// <summary>Invariant 7: when nothing is published any more, every floor that is stored reaches the tail of its shard.</summary>
internal sealed class FloorCheck(SimWorld world, Ledger ledger)
{
    public IEnumerable<string> Behind()
    {
        foreach (var subscription in ledger.Subscriptions.Where(subscription => !subscription.IsDeleted))
        {
            if (Prefix(subscription.Name) is not { } prefix)
            {
                yield return $"{subscription} has no record.";
                continue;
            }

            foreach (var (key, content) in world.Cluster.Documents.Where(document =>
                         document.Key.Collection == DocumentCollection.Cursors && document.Key.Id.StartsWith(prefix, StringComparison.Ordinal)))
            {
                foreach (var line in CursorDocument.Read(key, new StoredDocument(content, new Cas(1))).Shards)
                {
                    if (Tail(line.Shard) is { } tail && tail.SkipJumps(Max(line.Floor.Offset, tail.Head)) <= tail.Last)
                    {
                        yield return $"{subscription} stands at {line.Floor} in {line.Shard}; the tail is {tail.Last}.";
                    }
                }
            }
        }
    }

    // Cursors of former incarnations may come back by a late write; nobody reads them.
    private string? Prefix(SubscriptionName name)
    {
        var key = DocumentKeys.Subscription(name);
        var record = SubscriptionDocument.Format.Read(key, world.Cluster.Read(key));
        return record is null ? null : DocumentKeys.Cursor(name, world.Broken.HasFlag(BrokenRules.NoIncarnation) ? "0" : record.Incarnation, 0).Id[..^1];
    }

    private static Offset Max(Offset left, Offset right) => left < right ? right : left;

    private ShardState? Tail(ShardId shard)
    {
        var part = TopicSnapshot.PartOf(shard.Number);
        var stored = world.Cluster.Read(DocumentKeys.Topic(shard.Topic, part));
        return stored.Exists ? TopicDocument.Read(shard.Topic, part, stored)!.State(shard.Number % DocumentKeys.ShardsPerDocument) : null;
    }
}

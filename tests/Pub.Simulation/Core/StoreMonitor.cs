using Pub.Simulation.Kernel;
using Pub.Simulation.Store;
using Pub.Storage;
using Pub.Subscriptions;
using Pub.Topics;

namespace Pub.Simulation.Core;

/// <summary>
/// Looks at every write that the cluster applies: invariants 5 and 6 (floors, settled messages and tokens never fall), entries written once, heads that
/// never fall.
/// </summary>
internal sealed class StoreMonitor(SimWorld world)
{
    public void Observe(AppliedWrite write)
    {
        switch (write.Key.Collection)
        {
            case DocumentCollection.Cursors when write is { Before: not null, After: not null }:
                Compare(write, Cursor(write.Key, write.Before), Cursor(write.Key, write.After));
                break;
            case DocumentCollection.Messages when write is { Before: not null, After: not null }:
                world.Fail($"{write.Process} wrote over the entry {write.Key}.");
                break;
            case DocumentCollection.Offsets when write is { Operation: StoreOperation.Replace, Before: not null, After: not null } && write.Key != DocumentKeys.Bells:
                CompareHeads(write);
                break;
        }
    }

    private static CursorDocument Cursor(DocumentKey key, byte[] content) => CursorDocument.Read(key, new StoredDocument(content, new Cas(1)));

    private void Compare(AppliedWrite write, CursorDocument before, CursorDocument after)
    {
        if (after.Token < before.Token)
        {
            world.Fail($"Invariant 6: {write.Process} wrote {write.Key} under token {after.Token}; it had {before.Token}.");
        }

        if (after.Token == before.Token && after.Session != before.Session)
        {
            world.Fail($"Invariant 6: sessions {before.Session} and {after.Session} both wrote {write.Key} under token {after.Token}.");
        }

        if (after.Rewinds < before.Rewinds)
        {
            world.Fail($"Invariant 5: the rewinds of {write.Key} fell from {before.Rewinds} to {after.Rewinds}.");
        }

        if (after.Rewinds == before.Rewinds)
        {
            foreach (var line in before.Shards)
            {
                CompareLines(write, line, after.Find(line.Shard));
            }
        }
    }

    private void CompareLines(AppliedWrite write, ShardCursor before, ShardCursor? after)
    {
        if (after is null)
        {
            world.Fail($"Invariant 5: {write.Process} dropped the line of {before.Shard} from {write.Key}.");
            return;
        }

        if (after.Floor < before.Floor)
        {
            world.Fail($"Invariant 5: {write.Process} lowered the floor of {before.Shard} in {write.Key} from {before.Floor} to {after.Floor}.");
        }

        foreach (var range in before.Settled)
        {
            if (range.To > after.Floor && !after.Settled.Any(other => other.From <= Position.Max(range.From, after.Floor) && other.To >= range.To))
            {
                world.Fail($"Invariant 5: {write.Process} unsettled a part of {range.From}..{range.To} of {before.Shard} in {write.Key}.");
            }
        }
    }

    private void CompareHeads(AppliedWrite write)
    {
        var (before, after) = (Topic(write.Key, write.Before!), Topic(write.Key, write.After!));
        if (before is null || after is null)
        {
            return;
        }

        for (var i = 0; i < Math.Min(before.Heads.Length, after.Heads.Length); i++)
        {
            if (after.Heads[i] < before.Heads[i] || after.Heads[i] > after.Tails[i] + 1)
            {
                world.Fail($"{write.Process} moved the head of {write.Key} [{i}] from {before.Heads[i]} to {after.Heads[i]}, with the tail at {after.Tails[i]}.");
            }
        }
    }

    private static TopicDocument? Topic(DocumentKey key, byte[] content)
    {
        try
        {
            return TopicDocument.Format.Read(key, new StoredDocument(content, new Cas(1)));
        }
        catch (DocumentFormatException)
        {
            return null;
        }
    }
}

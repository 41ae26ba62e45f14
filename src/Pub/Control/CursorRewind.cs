using Pub.Storage;
using Pub.Subscriptions;
using Pub.Topics;
using Pub.Topology;

namespace Pub.Control;

/// <summary>
/// Changes where a subscription stands, while it runs or not: one edit per lease, then one change of its record that tells running holders to look
/// (executions.md 14). Holds no state.
/// </summary>
internal sealed class CursorRewind(ControlContext context)
{
    /// <summary>Sets every shard of some of the sources to a position; what was settled beyond is forgotten.</summary>
    /// <returns>The new floors.</returns>
    public async Task<IReadOnlyDictionary<ShardId, Position>> SetAsync(
        SubscriptionView view, IReadOnlyList<SubscriptionSource> sources, StartAt to, CancellationToken cancellationToken)
    {
        var floors = new Dictionary<ShardId, Position>();
        foreach (var source in sources)
        {
            if (await context.Directory.RefreshAsync(source.Topic, cancellationToken) is { IsClosed: false } topic)
            {
                var starts = new SubscriptionSource(source.Topic, await context.Starts.ResolveAsync(source.Topic, to, cancellationToken), []);
                for (var n = 0; n < topic.ShardCount; n++)
                {
                    // Nothing below head is ever read again.
                    floors[new ShardId(source.Topic, n)] = Position.Max(starts.StartOf(n), Position.StartOf(topic[n].Head));
                }
            }
        }

        await EditAsync(
            view,
            floors.Keys,
            (cursor, shard) => cursor.With(ShardCursor.At(shard, floors[shard])),
            cancellationToken);
        return floors;
    }

    /// <summary>Settles messages that lie in a subscription, wherever its holder stands.</summary>
    public Task SettleAsync(SubscriptionView view, IReadOnlyDictionary<ShardId, List<PositionRange>> ranges, CancellationToken cancellationToken)
    {
        var sources = view.Sources.ToDictionary(source => source.Topic);
        return EditAsync(
            view,
            ranges.Keys,
            (cursor, shard) =>
            {
                var line = cursor.Find(shard) ?? ShardCursor.At(shard, sources[shard.Topic].StartOf(shard.Number));
                var settled = new SettledRanges(line.Floor, line.Settled);
                ranges[shard].ForEach(range => settled.Add(range));
                return cursor.With(line with { Floor = settled.Floor, Settled = [.. settled.Ranges] });
            },
            cancellationToken);
    }

    private async Task EditAsync(
        SubscriptionView view, IEnumerable<ShardId> shards, Func<CursorDocument, ShardId, CursorDocument> edit, CancellationToken cancellationToken)
    {
        if (view.IsTemporary)
        {
            throw new PubException($"The subscription {view.Name} is temporary: where it stands is in its process's memory and cannot be changed from outside.");
        }

        foreach (var ofLease in shards.GroupBy(shard => shard.Number % view.LeaseCount).OrderBy(lease => lease.Key))
        {
            var key = DocumentKeys.Cursor(view.Name, view.Incarnation, ofLease.Key);
            ShardId[] edited = [.. ofLease];
            await context.Edits.EditAsync(key, cursor => edited.Aggregate(cursor, edit), cancellationToken);
        }

        // A holder that has nothing to write would not look at its cursor.
        await context.Registry.TellEditedAsync(view.Name, view.Incarnation, cancellationToken);
    }
}

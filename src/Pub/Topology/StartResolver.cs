using Pub.Storage;
using Pub.Topics;

namespace Pub.Topology;

/// <summary>Turns the choice of a start into positions, once, for the record. Holds no state.</summary>
internal sealed class StartResolver(IDocumentStore store, PubRuntime runtime, TopicDirectory directory)
{
    private readonly CasLoop _loop = new(store, runtime);
    private readonly EntryTimes _times = new(store);

    /// <summary>A position per shard; an empty list is the first entry of each.</summary>
    /// <exception cref="ArgumentException">The number of positions is not that of the shards.</exception>
    public async Task<IReadOnlyList<Position>> ResolveAsync(TopicName topic, StartAt start, CancellationToken cancellationToken)
    {
        if (start.Kind == StartKind.Beginning)
        {
            return [];
        }

        var shards = await ReadDurablyAsync(topic, cancellationToken);
        return start.Kind switch
        {
            StartKind.Time => await Task.WhenAll(shards.Select((state, n) =>
                AtTimeAsync(new ShardId(topic, n), state, start.WrittenSince.ToUnixTimeMilliseconds(), cancellationToken))),
            StartKind.Positions => Given(topic, shards, start.Positions!),
            _ => [.. shards.Select(Tail)],
        };
    }

    /// <summary>
    /// The shards as they are durably: a tail that was only counted can fall in a failover, and what is published next would lie below a start taken from
    /// it. Written unchanged by CAS, so exactly what is returned is what is safe (docs/decisions/0007-topology.md).
    /// </summary>
    public async Task<IReadOnlyList<ShardState>> ReadDurablyAsync(TopicName topic, CancellationToken cancellationToken)
    {
        var snapshot = await directory.RefreshAsync(topic, cancellationToken) ?? throw new NotFoundException($"There is no {topic}.");
        var shards = new List<ShardState>(snapshot.ShardCount);
        for (var part = 0; part < snapshot.PartCount; part++)
        {
            var key = DocumentKeys.Topic(topic, part);
            var count = Math.Min(DocumentKeys.ShardsPerDocument, snapshot.ShardCount - (part * DocumentKeys.ShardsPerDocument));
            if (await store.GetEpochAsync(key, cancellationToken) == Epoch.Constant)
            {
                shards.AddRange(Enumerable.Range(part * DocumentKeys.ShardsPerDocument, count).Select(n => snapshot[n]));
                continue;
            }

            // The loser reads the tails again.
            var result = await _loop.UpdateAsync(key, TopicDocument.Format, document => document, WriteOptions.Synced, cancellationToken: cancellationToken);
            var written = result.State ?? throw new NotFoundException($"There is no {topic}.");
            shards.AddRange(Enumerable.Range(0, count).Select(written.State));
        }

        return shards;
    }

    public async Task<Position> AtTimeAsync(ShardId shard, ShardState state, long sinceMilliseconds, CancellationToken cancellationToken) =>
        Position.StartOf(await _times.FirstSinceAsync(shard, state, sinceMilliseconds, cancellationToken));

    private static Position Tail(ShardState state) => Position.EndOf(state.Last);

    /// <summary>A position above the tail would pass over what is not published yet, so it counts as the tail.</summary>
    private static IReadOnlyList<Position> Given(TopicName topic, IReadOnlyList<ShardState> shards, IReadOnlyList<Position> positions) =>
        positions.Count == shards.Count
            ? [.. positions.Select((position, n) => Position.Max(Position.Beginning, Position.Min(position, Tail(shards[n]))))]
            : throw new ArgumentException($"There are {positions.Count} start positions for {topic}, which has {shards.Count} shards.");
}

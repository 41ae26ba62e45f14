using System.Runtime.CompilerServices;
using Pub.Storage;
using Pub.Topics;

namespace Pub.Control;

/// <summary>Reads messages where they lie, without lease and without trace. Holds no state.</summary>
internal sealed class MessageBrowser(IDocumentStore store)
{
    /// <summary>Entries fetched at a time.</summary>
    private const int BatchSize = 32;

    /// <summary>The messages of a shard from a position on up to another; missing slots, tombstones and what cannot be decoded are passed.</summary>
    public async IAsyncEnumerable<StoredMessage> ReadAsync(
        ShardId shard, ShardState state, Position from, Position to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var prefix = DocumentKeys.EntryPrefix(shard);
        var next = state.SkipJumps(from.Offset);
        while (Position.StartOf(next) < to && next <= state.Last)
        {
            var offsets = new List<Offset>(BatchSize);
            for (; offsets.Count < BatchSize && next <= state.Last && Position.StartOf(next) < to; next = state.SkipJumps(next.Next))
            {
                offsets.Add(next);
            }

            var stored = await store.GetManyAsync([.. offsets.Select(offset => DocumentKeys.Entry(prefix, offset))], cancellationToken);
            for (var i = 0; i < stored.Length; i++)
            {
                foreach (var message in Decode(shard, offsets[i], stored[i]))
                {
                    if (message.Place.Position >= from && message.Place.Position < to)
                    {
                        yield return message;
                    }
                }
            }
        }
    }

    /// <summary>What a subscription has not settled in a shard.</summary>
    public async IAsyncEnumerable<StoredMessage> ReadUnsettledAsync(ShardProgress progress, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (progress.Line.Floor.Offset > progress.State.Last)
        {
            yield break;
        }

        var settled = progress.Settled();
        var counts = progress.Line.Counts.ToDictionary(count => count.Position, count => count.Count);
        var all = ReadAsync(progress.Shard, progress.State, progress.Line.Floor, Position.EndOf(progress.State.Last), cancellationToken);
        await foreach (var message in all)
        {
            if (!settled.Contains(message.Place.Position))
            {
                yield return message with { Deliveries = counts.GetValueOrDefault(message.Place.Position) };
            }
        }
    }

    private static IEnumerable<StoredMessage> Decode(ShardId shard, Offset offset, StoredDocument stored)
    {
        if (!stored.Exists)
        {
            yield break;
        }

        var entry = EntryCodec.Decode(stored.Content);
        for (var i = 0; i < entry.Messages.Length; i++)
        {
            yield return new StoredMessage
            {
                Place = new MessagePlace(shard, new Position(offset, i)),
                Message = entry.Messages[i],
                Written = DateTimeOffset.FromUnixTimeMilliseconds(entry.Written),
                End = i == entry.Messages.Length - 1 ? Position.EndOf(offset) : new Position(offset, i + 1),
            };
        }
    }
}

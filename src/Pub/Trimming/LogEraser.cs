using Pub.Storage;
using Pub.Topics;

namespace Pub.Trimming;

/// <summary>
/// Ends a log and removes what it holds: closes every shard, raises each head above the last entry, removes, raises removed. The small document stays, so
/// that no offset is ever used again. Each step can be repeated; a call after a crash goes on where the last one ended.
/// </summary>
internal sealed class LogEraser(IDocumentStore store, PubRuntime runtime, TopicDirectory directory, ShardMarks marks, EntryRemoval removal)
{
    private readonly CasLoop _loop = new(store, runtime);

    /// <summary>Ends the lives of the log that are named by shard; shards that are in another life by now are left alone.</summary>
    public async Task EraseAsync(TopicName topic, IReadOnlyList<long> lives, CancellationToken cancellationToken)
    {
        if (await directory.RefreshAsync(topic, cancellationToken) is not { } found)
        {
            return;
        }

        for (var part = 0; part < found.PartCount; part++)
        {
            // The loser, to a publisher's increment, reads the tails again. By CAS, since an increment of unknown outcome, made again, would open the log.
            var first = part * DocumentKeys.ShardsPerDocument;
            await _loop.UpdateAsync(
                DocumentKeys.Topic(topic, part), TopicDocument.Format, document => document is null ? null : Closed(document, first, lives), WriteOptions.Synced, cancellationToken: cancellationToken);
        }

        if (await directory.RefreshAsync(topic, cancellationToken) is { } closed)
        {
            await EmptyAsync(closed, n => n < lives.Count && closed[n].Life == lives[n] + 1, cancellationToken);
        }
    }

    /// <summary>Removes the topic of a temporary endpoint, document and all: its name is never used again.</summary>
    public async Task EraseTemporaryAsync(TopicName topic, CancellationToken cancellationToken)
    {
        if (await directory.RefreshAsync(topic, cancellationToken) is { } snapshot)
        {
            await EmptyAsync(snapshot, _ => true, cancellationToken);
            await directory.RemoveTemporaryAsync(topic);
        }
    }

    private async Task EmptyAsync(TopicSnapshot topic, Func<int, bool> isMeant, CancellationToken cancellationToken)
    {
        for (var part = 0; part < topic.PartCount; part++)
        {
            var first = part * DocumentKeys.ShardsPerDocument;
            var count = Math.Min(DocumentKeys.ShardsPerDocument, topic.ShardCount - first);
            Offset[] heads = [.. Enumerable.Range(first, count).Select(n => isMeant(n) ? End(topic[n]) : Offset.None)];
            if (await marks.RaiseHeadsAsync(topic.Name, part, heads, cancellationToken) is not { } raised)
            {
                continue;
            }

            for (var n = 0; n < count; n++)
            {
                await removal.RemoveAsync(new ShardId(topic.Name, first + n), raised.State(n), heads[n], int.MaxValue, cancellationToken);
            }

            await marks.RaiseRemovedAsync(topic.Name, part, heads, cancellationToken);
        }
    }

    private static Offset End(ShardState shard) => shard.Head > shard.Last ? shard.Head : shard.Last.Next;

    private static TopicDocument? Closed(TopicDocument document, int firstShard, IReadOnlyList<long> lives)
    {
        long[] tails = [.. document.Tails];
        for (var i = 0; i < tails.Length; i++)
        {
            var shard = firstShard + i;
            if (shard < lives.Count && (lives[shard] & 1) == 0 && new Offset(tails[i]).Life == lives[shard])
            {
                tails[i] += 1L << Offset.LifeBits;
            }
        }

        return tails.AsSpan().SequenceEqual(document.Tails) ? null : document with { Tails = tails };
    }
}

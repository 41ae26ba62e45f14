using Pub.Storage;
using Pub.Subscriptions;
using Pub.Topics;

namespace Pub.Control;

/// <summary>
/// After a backup was restored the stored tails may lie below offsets that were handed out: raises each above everything that any document knows of, and a
/// safe distance further (design 6). What lies in between is recorded as a jump, so that readers pass it. Holds no state.
/// </summary>
internal sealed class TailRepair(ControlContext context)
{
    /// <summary>Offsets that are left out above the highest known one: more than can have been handed out and be known to nothing that was restored.</summary>
    public const long SafeDistance = 1L << 24;

    /// <summary>So many empty slots in a row end the search for entries above the tail.</summary>
    private const int Window = 1024;

    /// <returns>The number of shards raised.</returns>
    public async Task<int> RaiseAsync(TopicName topic, CancellationToken cancellationToken)
    {
        if (await context.Directory.RefreshAsync(topic, cancellationToken) is not { } found)
        {
            return 0;
        }

        var highest = new Offset[found.ShardCount];
        for (var n = 0; n < highest.Length; n++)
        {
            highest[n] = found[n].IsClosed ? Offset.None : await FindHighestAsync(new ShardId(topic, n), found[n], cancellationToken);
        }

        await AddFloorsAsync(topic, highest, cancellationToken);
        for (var part = 0; part < found.PartCount; part++)
        {
            var first = part * DocumentKeys.ShardsPerDocument;
            await context.Loop.UpdateAsync(
                DocumentKeys.Topic(topic, part),
                TopicDocument.Format,
                document => document is null ? null : Jumped(document, highest.AsSpan(first)),
                WriteOptions.Synced,
                cancellationToken: cancellationToken);
        }

        await context.Directory.RefreshAsync(topic, cancellationToken);
        return highest.Count(offset => offset > Offset.None);
    }

    private static TopicDocument Jumped(TopicDocument document, ReadOnlySpan<Offset> highest)
    {
        long[] tails = [.. document.Tails];
        var jumps = new long[tails.Length][][];
        for (var i = 0; i < tails.Length; i++)
        {
            jumps[i] = document.Jumps?[i] ?? [];
            if (highest[i] > Offset.None)
            {
                var last = Math.Max(tails[i], highest[i].Value);
                tails[i] = last + SafeDistance;
                jumps[i] = [.. jumps[i], [last + 1, tails[i] + 1]];
            }
        }

        return document with { Tails = tails, Jumps = jumps };
    }

    private async Task<Offset> FindHighestAsync(ShardId shard, ShardState state, CancellationToken cancellationToken)
    {
        var prefix = DocumentKeys.EntryPrefix(shard);
        var highest = state.Tail;
        for (var from = highest.Value + 1; ;)
        {
            DocumentKey[] keys = [.. Enumerable.Range(0, Window).Select(i => DocumentKeys.Entry(prefix, new Offset(from + i)))];
            var last = Array.FindLastIndex(await context.Store.GetManyAsync(keys, cancellationToken), document => document.Exists);
            if (last < 0)
            {
                return highest;
            }

            highest = new Offset(from + last);
            from += last + 1;
        }
    }

    /// <summary>Cursors may know of offsets whose entries the backup does not have.</summary>
    private async Task AddFloorsAsync(TopicName topic, Offset[] highest, CancellationToken cancellationToken)
    {
        var readers = await new Trimming.TopicReaders(context.Store, context.Topology).ReadAsync(topic, cancellationToken);
        foreach (var reader in readers)
        {
            for (var n = 0; n < highest.Length; n++)
            {
                var key = reader.CursorOf(n);
                var line = CursorDocument.Read(key, await context.Store.GetAsync(key, cancellationToken)).Find(new ShardId(topic, n));
                var end = line is null ? Position.Beginning : line.Settled.Select(range => range.To).Append(line.Floor).Max();
                if (highest[n] > Offset.None && end.Offset.Value - 1 > highest[n].Value)
                {
                    highest[n] = new Offset(end.Offset.Value - 1);
                }
            }
        }
    }
}

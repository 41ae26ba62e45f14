using Pub.Storage;

namespace Pub.Topics;

/// <summary>
/// Finds offsets by the times at which entries were written. Clocks of publishers differ, so times only nearly rise with the offsets; where nothing
/// is known (holes) the answer errs towards the earlier offset.
/// </summary>
internal sealed class EntryTimes(IDocumentStore store)
{
    /// <summary>How many slots are looked at for one with a time, in growing steps, before its place counts as unknown.</summary>
    private static readonly int[] LookSteps = [1, 31, 256, 2048];

    /// <summary>The first offset of the shard, from head on, whose entry was written at or after a time; just behind the last one if there is none.</summary>
    public async ValueTask<Offset> FirstSinceAsync(ShardId shard, ShardState state, long sinceMilliseconds, CancellationToken cancellationToken)
    {
        var end = state.Last.Next;
        var from = state.SkipJumps(state.Head);
        while (from < end)
        {
            // A jump is as wide as many lives of the log: each side of it is searched by itself.
            var next = NextJump(state, from, end);
            var found = await FirstSinceAsync(shard, from, next, sinceMilliseconds, cancellationToken);
            if (found < next)
            {
                return found;
            }

            from = state.SkipJumps(next);
        }

        return end;
    }

    /// <summary>
    /// The first offset in [<paramref name="from"/>, <paramref name="end"/>) whose entry was written at or after a time; <paramref name="end"/> if there is none.
    /// Costs about twice the logarithm of the distance in reads.
    /// </summary>
    public async ValueTask<Offset> FirstSinceAsync(ShardId shard, Offset from, Offset end, long sinceMilliseconds, CancellationToken cancellationToken)
    {
        // Everything below low is older; high is known not to be, or the end. First in growing steps, for what is sought is mostly near.
        var low = from.Value;
        var high = end.Value;
        for (var step = 1L; low < high; step *= 2)
        {
            var probe = Math.Min(low + step - 1, high - 1);
            if (!await IsOlderAsync(shard, probe, high, sinceMilliseconds, cancellationToken))
            {
                high = probe;
                break;
            }

            low = probe + 1;
        }

        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            if (await IsOlderAsync(shard, middle, high, sinceMilliseconds, cancellationToken))
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return new Offset(low);
    }

    /// <summary>When the first entry at or above an offset was written, looking at no more than some slots; null if none of them holds one.</summary>
    public async ValueTask<long?> WrittenAsync(ShardId shard, Offset from, Offset end, CancellationToken cancellationToken)
    {
        var prefix = DocumentKeys.EntryPrefix(shard);
        var next = from.Value;
        foreach (var step in LookSteps)
        {
            var count = (int)Math.Min(step, end.Value - next);
            if (count <= 0)
            {
                return null;
            }

            DocumentKey[] keys = [.. Enumerable.Range(0, count).Select(i => DocumentKeys.Entry(prefix, new Offset(next + i)))];
            foreach (var stored in await store.GetManyAsync(keys, cancellationToken))
            {
                if (Written(stored) is { } written)
                {
                    return written;
                }
            }

            next += count;
        }

        return null;
    }

    private static Offset NextJump(ShardState state, Offset from, Offset end)
    {
        foreach (var jump in state.Jumps)
        {
            if (jump.From >= from && jump.From < end)
            {
                return jump.From;
            }
        }

        return end;
    }

    private async ValueTask<bool> IsOlderAsync(ShardId shard, long offset, long end, long sinceMilliseconds, CancellationToken cancellationToken) =>
        await WrittenAsync(shard, new Offset(offset), new Offset(end), cancellationToken) is { } written && written < sinceMilliseconds;

    /// <summary>A tombstone's time is that of its reader: later than its place, so it errs as it should. What cannot be decoded has none.</summary>
    private static long? Written(StoredDocument stored) =>
        stored.Exists && EntryCodec.Decode(stored.Content) is { IsUndecodable: false } entry ? entry.Written : null;
}

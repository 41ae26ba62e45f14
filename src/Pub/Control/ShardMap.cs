using Pub.Topics;

namespace Pub.Control;

/// <summary>How the documents of a topic change when shards are added: pure; null for nothing to change.</summary>
internal static class ShardMap
{
    /// <summary>Two lives: the log stays open, and whoever knows the old life looks again.</summary>
    private const long Jump = 2L << Offset.LifeBits;

    /// <summary>The document with the new number of shards; its old shards jump, the shards that it gains are held back.</summary>
    public static TopicDocument Extended(TopicDocument document, int shards)
    {
        var old = document.Tails.Length;
        var count = Math.Min(shards, DocumentKeys.ShardsPerDocument);
        var tails = new long[count];
        var jumps = new long[count][][];
        var fences = new long[]?[count];
        for (var i = 0; i < count; i++)
        {
            if (i < old)
            {
                var tail = document.Tails[i];
                tails[i] = ((tail + Jump) >> Offset.LifeBits) << Offset.LifeBits;
                jumps[i] = [.. document.Jumps?[i] ?? [], [tail + 1, tails[i] + 1]];
                fences[i] = document.Fences?[i];
            }
            else
            {
                jumps[i] = [];
                fences[i] = [i % document.Shards, 0];
            }
        }

        return document with
        {
            Shards = shards,
            Tails = tails,
            Heads = [.. document.Heads, .. Enumerable.Repeat(1L, count - old)],
            Removed = [.. document.Removed, .. Enumerable.Repeat(1L, count - old)],
            Jumps = jumps,
            Fences = fences.All(fence => fence is null) ? null : fences,
        };
    }

    /// <summary>Whether nobody can have appended to, or read from, the shards of an added part.</summary>
    public static bool IsUntouched(TopicDocument document) =>
        document.Tails.All(tail => tail == 0) && document.Fences?.All(fence => fence is [_, 0]) == true;

    /// <summary>The document with the fences that were not known filled in, from the last jumps of the old shards.</summary>
    public static TopicDocument? Fenced(TopicDocument document, IReadOnlyList<TopicDocument> parts)
    {
        if (document.Fences?.Any(fence => fence is [_, 0]) != true)
        {
            return null;
        }

        return document with { Fences = [.. document.Fences.Select(fence => fence is [var shard, 0] ? [shard, LastJump(parts, (int)shard)] : fence)] };
    }

    private static long LastJump(IReadOnlyList<TopicDocument> parts, int shard) =>
        parts[TopicSnapshot.PartOf(shard)].Jumps?[shard % DocumentKeys.ShardsPerDocument] is [.., [var from, _]]
            ? from
            : throw new InvariantException($"Shard {shard} of {parts[0].Name} has no jump, though shards were added.");
}

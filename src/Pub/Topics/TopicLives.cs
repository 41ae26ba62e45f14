namespace Pub.Topics;

/// <summary>
/// How a log's life is ended and another begun (docs/decisions/0004-lives-in-the-tail.md): pure changes of a topic's document, null for nothing to change.
/// </summary>
internal static class TopicLives
{
    private const long OneLife = 1L << Offset.LifeBits;

    /// <summary>Every even life becomes the odd one above it; the tail's lower bits stay, so that readers still know where the entries end.</summary>
    public static TopicDocument? Closed(TopicDocument document) =>
        document.Tails.All(IsClosed) ? null : document with { Tails = [.. document.Tails.Select(tail => IsClosed(tail) ? tail : tail + OneLife)] };

    /// <summary>Every odd life becomes the even one above it, begun at its first offset, with the head there: what the old life held counts for nothing.</summary>
    public static TopicDocument? Reopened(TopicDocument document)
    {
        if (!document.Tails.Any(IsClosed))
        {
            return null;
        }

        long[] tails = [.. document.Tails];
        long[] heads = [.. document.Heads];
        var jumps = new long[tails.Length][][];
        for (var i = 0; i < tails.Length; i++)
        {
            jumps[i] = document.Jumps?[i] ?? [];
            if (IsClosed(tails[i]))
            {
                // What may hold an entry ends at the last offset of the even life; from there to the new life nothing was handed out.
                var last = tails[i] - OneLife;
                tails[i] = ((tails[i] >> Offset.LifeBits) + 1) << Offset.LifeBits;
                heads[i] = tails[i] + 1;
                jumps[i] = [.. jumps[i], [last + 1, tails[i] + 1]];
            }
        }

        return document with { Tails = tails, Heads = heads, Jumps = jumps };
    }

    private static bool IsClosed(long tail) => (new Offset(tail).Life & 1) != 0;
}

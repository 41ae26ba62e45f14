using Pub.Storage;
using Pub.Topics;

namespace Pub.Trimming;

/// <summary>
/// Raises head and removed in the documents of a topic. Neither ever falls, so whoever is second, or late, changes nothing.
/// </summary>
internal sealed class ShardMarks(IDocumentStore store, PubRuntime runtime)
{
    private readonly CasLoop _loop = new(store, runtime);

    /// <summary>
    /// Raises heads durably, and with each the tail to at least one below it, in one write of the document that holds both: no failover brings the tail
    /// below the head, so no slot below it is ever handed out again (executions.md 2).
    /// </summary>
    /// <param name="topic">The topic.</param>
    /// <param name="part">Which of its documents.</param>
    /// <param name="heads">By place in the document the new head; <see cref="Offset.None"/> leaves it.</param>
    /// <param name="cancellationToken">Ends it between two attempts.</param>
    /// <returns>The document afterwards, or null if it is gone.</returns>
    public async Task<TopicDocument?> RaiseHeadsAsync(TopicName topic, int part, IReadOnlyList<Offset> heads, CancellationToken cancellationToken)
    {
        var isBroken = runtime.Breaks(BrokenRules.SlotReuseAfterTrim);

        // The loser, mostly to a publisher's increment, reads the tails again.
        var result = await _loop.UpdateAsync(
            DocumentKeys.Topic(topic, part),
            TopicDocument.Format,
            document => document is null || !Raises(document.Heads, heads) ? null : document with
            {
                Heads = Raised(document.Heads, heads, 0),
                Tails = isBroken ? document.Tails : Raised(document.Tails, heads, -1),
            },
            new WriteOptions(Durable: !isBroken),
            cancellationToken: cancellationToken);
        return result.State;
    }

    /// <summary>Notes how far entries are removed. Not durable: what it says again after a failover is removed again, which finds nothing.</summary>
    public async Task RaiseRemovedAsync(TopicName topic, int part, IReadOnlyList<Offset> removed, CancellationToken cancellationToken)
    {
        if (!runtime.Breaks(BrokenRules.NoRemoved))
        {
            await _loop.UpdateAsync(
                DocumentKeys.Topic(topic, part),
                TopicDocument.Format,
                document => document is null || !Raises(document.Removed, removed) ? null : document with { Removed = Raised(document.Removed, removed, 0) },
                default,
                cancellationToken: cancellationToken);
        }
    }

    private static bool Raises(long[] marks, IReadOnlyList<Offset> to)
    {
        for (var i = 0; i < Math.Min(marks.Length, to.Count); i++)
        {
            if (to[i].Value > marks[i])
            {
                return true;
            }
        }

        return false;
    }

    private static long[] Raised(long[] marks, IReadOnlyList<Offset> to, long distance)
    {
        long[] raised = [.. marks];
        for (var i = 0; i < Math.Min(marks.Length, to.Count); i++)
        {
            raised[i] = Math.Max(marks[i], to[i].Value + distance);
        }

        return raised;
    }
}

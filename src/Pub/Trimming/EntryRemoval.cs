using Pub.Storage;
using Pub.Topics;

namespace Pub.Trimming;

/// <summary>
/// Removes entries one by one, a batch at a time, no faster than allowed. One per process. What it removes lies below a head, so it does not matter
/// when, how often or by how many processes it is done, nor that a removal is not durable.
/// </summary>
internal sealed class EntryRemoval(IDocumentStore store, PubRuntime runtime, int removalsPerSecond)
{
    /// <summary>Removals under way at a time.</summary>
    private const int BatchSize = 64;

    /// <summary>How far removals may be ahead of their rate before they pause.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(20);

    /// <summary>Under it: when the next batch may begin.</summary>
    private readonly Lock _lock = new();
    private long _nextTimestamp = long.MinValue;

    /// <summary>
    /// Removes the shard's entries from where the last trimmer ended up to <paramref name="to"/>, at most <paramref name="limit"/> of them.
    /// </summary>
    /// <returns>Up to where everything is removed.</returns>
    public async Task<Offset> RemoveAsync(ShardId shard, ShardState state, Offset to, int limit, CancellationToken cancellationToken)
    {
        var prefix = DocumentKeys.EntryPrefix(shard);
        var next = state.SkipJumps(state.Removed);
        for (var removed = 0; next < to && removed < limit;)
        {
            var batch = new List<Task>(BatchSize);
            var end = next;
            while (end < to && batch.Count < BatchSize && removed < limit)
            {
                batch.Add(RemoveAsync(DocumentKeys.Entry(prefix, end)));
                end = state.SkipJumps(end.Next);
                removed++;
            }

            await Task.WhenAll(batch);
            next = end;
            await PauseAsync(batch.Count, cancellationToken);
        }

        return next < to ? next : to;
    }

    private async Task RemoveAsync(DocumentKey key)
    {
        try
        {
            await store.RemoveAsync(key);
        }
        catch (OutcomeUnknownException)
        {
            // It may come later, or never: then a document stays that nobody reads. Once more is enough to make that rare.
            await store.RemoveAsync(key);
        }
    }

    private Task PauseAsync(int count, CancellationToken cancellationToken)
    {
        TimeSpan pause;
        lock (_lock)
        {
            var now = runtime.Time.GetTimestamp();
            var cost = (long)(count * (double)runtime.Time.TimestampFrequency / removalsPerSecond);
            _nextTimestamp = Math.Max(now, _nextTimestamp) + cost;
            pause = runtime.Time.GetElapsedTime(now, _nextTimestamp);
        }

        cancellationToken.ThrowIfCancellationRequested();
        return pause < Slack ? Task.CompletedTask : runtime.Delay(pause, cancellationToken);
    }
}

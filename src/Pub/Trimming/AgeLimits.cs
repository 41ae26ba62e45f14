using Pub.Storage;
using Pub.Topics;

namespace Pub.Trimming;

/// <summary>
/// Finds how far a shard's entries are older than allowed. Remembers when the oldest entry was written, so that a shard whose oldest is young
/// costs no read until it is old. Used by one loop.
/// </summary>
internal sealed class AgeLimits(IDocumentStore store)
{
    private readonly EntryTimes _times = new(store);
    private readonly Dictionary<ShardId, (Offset Head, long Written)> _oldest = [];

    /// <summary>Everything from head up to this offset was written before <paramref name="cutoffMilliseconds"/>; the head if nothing was.</summary>
    public async ValueTask<Offset> FindAsync(ShardId shard, ShardState state, long cutoffMilliseconds, CancellationToken cancellationToken)
    {
        var head = state.SkipJumps(state.Head);
        var end = state.Last.Next;
        if (head >= end)
        {
            return state.Head;
        }

        if (!_oldest.TryGetValue(shard, out var oldest) || oldest.Head != head)
        {
            if (await _times.WrittenAsync(shard, head, end, cancellationToken) is not { } written)
            {
                return state.Head;
            }

            _oldest[shard] = oldest = (head, written);
        }

        return oldest.Written >= cutoffMilliseconds
            ? state.Head
            : await _times.FirstSinceAsync(shard, state, cutoffMilliseconds, cancellationToken);
    }

    public void Forget(TopicName topic)
    {
        foreach (var shard in _oldest.Keys.Where(shard => shard.Topic == topic).ToArray())
        {
            _oldest.Remove(shard);
        }
    }
}

using Pub.Storage;
using Pub.Topics;

namespace Pub.Scheduling;

/// <summary>
/// Slots that were reserved and are empty: read again with back-off, and closed by a tombstone after <see cref="PubTimings.GapTimeout"/> (design 4).
/// Owned by the lease's loop.
/// </summary>
internal sealed class BucketHoles(ShardId shard, ShardLog log, PubRuntime runtime, PubTimings timings)
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(100);

    private readonly SortedDictionary<long, Hole> _holes = [];

    public int Count => _holes.Count;

    public IEnumerable<long> Offsets => _holes.Keys;

    /// <summary>Until the next one is to be read; null if there is none.</summary>
    public TimeSpan? Next
    {
        get
        {
            TimeSpan? next = null;
            foreach (var hole in _holes.Values)
            {
                var rest = hole.Pause - hole.SinceRead.Elapsed;
                next = next is null || rest < next ? rest : next;
            }

            return next;
        }
    }

    /// <summary>Found empty, for the first time or again.</summary>
    public void Add(long offset)
    {
        var known = _holes.TryGetValue(offset, out var hole);
        var pause = known ? hole.Pause * 2 : ShortestPause;
        _holes[offset] = new Hole(known ? hole.SinceFound : runtime.StartElapsed(), runtime.StartElapsed(), pause < LongestPause ? pause : LongestPause);
    }

    public void Remove(long offset) => _holes.Remove(offset);

    /// <summary>Those to be read again now. What is old has been closed first, so that it is not empty when it is read.</summary>
    public async Task<List<long>> TakeAsync(CancellationToken cancellationToken)
    {
        var taken = new List<long>();
        foreach (var (offset, hole) in _holes)
        {
            if (hole.SinceRead.Elapsed >= hole.Pause)
            {
                taken.Add(offset);
            }
        }

        foreach (var offset in taken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_holes[offset].SinceFound.Elapsed >= timings.GapTimeout)
            {
                await log.CloseSlotAsync(shard, new Offset(offset));
            }
        }

        return taken;
    }

    private readonly record struct Hole(ElapsedTime SinceFound, ElapsedTime SinceRead, TimeSpan Pause);
}

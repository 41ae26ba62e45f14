namespace Pub.Subscriptions;

/// <summary>
/// How far deliveries of one lease may have begun, as the stored cursor says, so that a successor of a dead holder knows what may have been in flight
/// (design 5.7). The lease's lock protects it.
/// <code>
/// an entry is delivered only below the stored mark of its shard
/// a stored mark never falls while the reader runs
/// suspects of a shard lie below the mark that the dead holder stored
/// </code>
/// </summary>
internal sealed class AheadMarks
{
    /// <summary>The least that a write reaches ahead of what is read; enough that a slow topic never waits for a write.</summary>
    private const int Least = 32;

    private readonly Dictionary<ShardId, Offset> _stored = [];
    private readonly Dictionary<ShardId, Offset> _suspectsBelow = [];
    private readonly HashSet<ShardId> _bounded = [];
    private readonly Dictionary<ShardId, Offset> _nextAtWrite = [];

    public AheadMarks(CursorDocument start, bool takenFromDead)
    {
        foreach (var line in start.Shards)
        {
            _stored[line.Shard] = line.Ahead;
            if (takenFromDead && line.Ahead > line.Floor.Offset)
            {
                _suspectsBelow[line.Shard] = line.Ahead;
            }
        }
    }

    /// <summary>Where deliveries of the shard must stop for now.</summary>
    public Offset StoredOf(ShardId shard) => _stored.GetValueOrDefault(shard);

    /// <summary>Whether what killed the former holder may still lie in what the shard has left below its mark.</summary>
    public bool HasSuspects(ShardWindow window)
    {
        if (_suspectsBelow.Count == 0 || !_suspectsBelow.TryGetValue(window.Shard, out var below))
        {
            return false;
        }

        if (window.Progress.Floor.Offset < below && !Passed(window, below))
        {
            return true;
        }

        // For good: so that settling need not ask for ever.
        _suspectsBelow.Remove(window.Shard);
        return false;
    }

    /// <summary>What was appended after the takeover is no suspect: the tail at the first look bounds them.</summary>
    public void BoundSuspects(ShardId shard, Offset tail)
    {
        if (_suspectsBelow.Count > 0 && _bounded.Add(shard) && _suspectsBelow.TryGetValue(shard, out var below) && below > tail.Next)
        {
            _suspectsBelow[shard] = tail.Next;
        }
    }

    public Offset SuspectsBelow(ShardId shard) => _suspectsBelow.GetValueOrDefault(shard);

    /// <summary>The mark for the next write: as far as the last interval's pace would take the reader twice.</summary>
    public Offset Plan(ShardWindow window)
    {
        var stored = StoredOf(window.Shard);
        var pace = window.Next.Value - _nextAtWrite.GetValueOrDefault(window.Shard, window.Next).Value;
        _nextAtWrite[window.Shard] = window.Next;
        var mark = new Offset(window.Next.Value + Math.Clamp(pace * 2, Least, ShardWindow.MaxSlots));
        return mark > stored ? mark : stored;
    }

    /// <summary>Takes in what was stored. True if a window was waiting for it.</summary>
    public bool Stored(CursorDocument cursor, IReadOnlyDictionary<ShardId, ShardWindow> windows)
    {
        var isAwaited = false;
        foreach (var line in cursor.Shards)
        {
            if (windows.TryGetValue(line.Shard, out var window))
            {
                isAwaited |= window.WaitsFor(StoredOf(line.Shard));
                _stored[line.Shard] = line.Ahead;
            }
        }

        return isAwaited;
    }

    // Nothing of the shard is left below the mark: the tail is there, and all was read and settled.
    private static bool Passed(ShardWindow window, Offset below) => window.IsEmpty && window.Next >= below;
}

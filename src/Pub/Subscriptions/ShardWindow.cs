using Pub.Topics;

namespace Pub.Subscriptions;

/// <summary>
/// What one lease knows of one shard between its floor and the tail: which slots to read, which are holes, which entries may be delivered. Pure: it
/// is told what was read and what time it is, and answers what to do.
/// <code>
/// floor ≤ offset of every slot &lt; next; slots ascending
/// an entry is handed out once, and in the order of offsets
/// an entry above a hole is handed out only after the hole was read again, from after the entry was read, and was still missing
/// the floor passes a slot only when all its messages are settled, a tombstone was seen in it, or it lies below the head
/// with MaxSlots slots, or MaxRanges settled ranges below what is next, nothing more is read until the floor moves
/// </code>
/// Not safe for several threads: the lease's lock protects it.
/// </summary>
internal sealed class ShardWindow
{
    public const int MaxSlots = 1_024;
    public const int MaxRanges = 1_000;

    // An offset that was just handed out is being filled: its producer's own hint, or a moment's patience, saves reading an empty slot.
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(1);

    // How soon a slot that this process is filling is looked at again, in case its append ends without an entry.
    private static readonly TimeSpan PendingPatience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(100);

    private readonly List<WindowSlot> _slots = [];
    private readonly TimeProvider _time;
    private readonly BrokenRules _broken;
    private readonly PendingAppends? _pending;
    private Offset _next;
    private long _clock;
    private int _delivered;
    private int _holes;
    private Offset _notFresh;
    private Offset _filled;
    private long _freshSince;
    private bool _isGracePending;
    private long _graceEnds;

    public ShardWindow(ShardId shard, SettledRanges progress, TimeProvider time, BrokenRules broken = BrokenRules.None, PendingAppends? pending = null)
    {
        Shard = shard;
        Progress = progress;
        _time = time;
        _broken = broken;
        _pending = pending;
        _next = progress.Floor.Offset;
        _freshSince = time.GetTimestamp() - time.TimestampFrequency;
    }

    public ShardId Shard { get; }

    public SettledRanges Progress { get; }

    /// <summary>The last offset known to have been handed out.</summary>
    public Offset Tail { get; private set; }

    /// <summary>What is read next for the first time.</summary>
    public Offset Next => _next;

    /// <summary>Whether there are slots at all: something is read ahead, in flight or missing.</summary>
    public bool IsEmpty => _slots.Count == 0;

    public bool HasHoles => _holes > 0;

    /// <summary>The topic is no longer read: the owner asks for nothing, and the window keeps its progress.</summary>
    public bool IsRetired { get; private set; }

    /// <summary>Whether the last plan left slots unread because of a cap: the next settling must wake the reader.</summary>
    public bool IsAtCap { get; private set; }

    /// <summary>Slots that were let go since the last call to <see cref="TakeReleased"/>.</summary>
    private List<WindowSlot> Released { get; } = [];

    /// <summary>
    /// The topic is no longer read. Lets go of what is read ahead, which would take budget for nothing; what was handed out goes on. Reading can begin
    /// anew from there.
    /// </summary>
    public void Retire()
    {
        IsRetired = true;
        var last = _slots.FindLastIndex(slot => slot.IsDelivered);
        for (var i = _slots.Count - 1; i > last; i--)
        {
            _next = _slots[i].Offset;
            RemoveAt(i);
        }
    }

    public void Revive() => IsRetired = false;

    /// <summary>Takes in a newer state of the topic. Ranges that were never handed out count as settled; so does what is below the head.</summary>
    public void Observe(Offset tail, Offset head, IReadOnlyList<OffsetRange> jumps)
    {
        if (tail > Tail)
        {
            if (_time.GetElapsedTime(_freshSince) >= Grace)
            {
                _notFresh = Tail;
                _freshSince = _time.GetTimestamp();
            }

            Tail = tail;
        }

        foreach (var jump in jumps)
        {
            Skip(new PositionRange(Position.StartOf(jump.From), Position.StartOf(jump.To)));
        }

        if (!Breaks(BrokenRules.NoHead) && Position.StartOf(head) > Progress.Floor)
        {
            Skip(new PositionRange(Progress.Floor, Position.StartOf(head)));
        }
    }

    /// <summary>The slot was filled: reads it at once if it is a hole, and knows that the tail is at least there.</summary>
    public void ObserveFilled(Offset offset)
    {
        Tail = offset > Tail ? offset : Tail;
        _filled = offset > _filled ? offset : _filled;
        var slot = Find(offset);
        if (slot is { IsHole: true })
        {
            slot.IsFilled = true;
            slot.NextRead = _time.GetTimestamp();
        }
    }

    /// <summary>The holes that are due, and up to <paramref name="most"/> slots not read before.</summary>
    public WindowRead PlanRead(int most)
    {
        var now = _time.GetTimestamp();
        var offsets = new List<Offset>();
        if (_holes > 0)
        {
            CollectHoles(now, offsets);
        }

        _isGracePending = false;
        while (most > 0 && HasRoom())
        {
            // An entry that is settled in part is read.
            _next = Progress.SkipSettled(Position.StartOf(_next)).Offset;
            if (_next > Tail)
            {
                break;
            }

            if (IsBeingFilledHere(_next))
            {
                _isGracePending = true;
                _graceEnds = now + Ticks(PendingPatience);
                break;
            }

            if (IsFresh(_next) && _time.GetElapsedTime(_freshSince) < Grace)
            {
                _isGracePending = true;
                _graceEnds = _freshSince + Ticks(Grace);
                break;
            }

            _slots.Add(new WindowSlot(this, _next) { IsBeingRead = true });
            _holes++;
            offsets.Add(_next);
            _next = _next.Next;
            most--;
        }

        IsAtCap = _next <= Tail && !HasRoom();
        return new WindowRead(this, offsets, ++_clock);
    }

    /// <summary>What a planned read found; null stands for missing.</summary>
    public void Complete(WindowRead read, IReadOnlyList<Entry?> found)
    {
        var ended = ++_clock;
        var now = _time.GetTimestamp();
        for (var i = 0; i < read.Offsets.Count; i++)
        {
            var slot = Find(read.Offsets[i]);
            if (slot is null)
            {
                continue; // skipped by a head that was raised meanwhile
            }

            slot.IsBeingRead = false;
            if (found[i] is { } entry)
            {
                Fill(slot, entry, ended);
            }
            else
            {
                StayMissing(slot, read.Began, now);
            }
        }
    }

    /// <summary>A planned read failed: its slots are read again at the next occasion.</summary>
    public void Abandon(WindowRead read)
    {
        foreach (var offset in read.Offsets)
        {
            if (Find(offset) is { } slot)
            {
                slot.IsBeingRead = false;
                slot.NextRead = _time.GetTimestamp();
            }
        }
    }

    /// <summary>Entries that may be delivered now, in order, all below <paramref name="ahead"/>. Each is answered once.</summary>
    public void TakeDeliverable(Offset ahead, List<WindowSlot> taken)
    {
        if (_delivered == _slots.Count)
        {
            return;
        }

        var oldestLook = long.MaxValue;
        foreach (var slot in _slots)
        {
            if (slot.IsHole)
            {
                oldestLook = Math.Min(oldestLook, slot.MissingMark);
                continue;
            }

            if (slot.IsDelivered)
            {
                continue;
            }

            // What was confirmed before this entry was published can have come into the hole between the two reads (executions.md 4).
            if (slot.Offset >= ahead || (oldestLook < slot.ReadMark && !Breaks(BrokenRules.NoHoleReread)))
            {
                return;
            }

            slot.IsDelivered = true;
            _delivered++;
            taken.Add(slot);
        }
    }

    /// <summary>Whether an entry waits only because it lies at or above <paramref name="ahead"/>.</summary>
    public bool WaitsFor(Offset ahead)
    {
        foreach (var slot in _slots)
        {
            if (slot is { IsHole: false, IsDelivered: false })
            {
                return slot.Offset >= ahead;
            }
        }

        return false;
    }

    /// <summary>Settles one message of a slot that was handed out; the owner calls it once for each.</summary>
    public void Settle(WindowSlot slot, int index)
    {
        var last = index == slot.Entry!.Messages.Length - 1;
        var from = new Position(slot.Offset, index);
        var to = last ? Position.EndOf(slot.Offset) : new Position(slot.Offset, index + 1);

        // Nothing new is in it if the head was raised above it meanwhile.
        Progress.Add(new PositionRange(from, to));
        if (--slot.Unsettled == 0)
        {
            Remove(slot);
        }
    }

    /// <summary>Settles everything of a slot: a tombstone, or an entry that cannot be read.</summary>
    public void SettleWhole(WindowSlot slot)
    {
        Progress.Add(new PositionRange(Position.StartOf(slot.Offset), Position.EndOf(slot.Offset)));
        slot.Unsettled = 0;
        Remove(slot);
    }

    /// <summary>Holes that have been open for as long as <paramref name="timeout"/>: time to close them.</summary>
    public void CollectExpiredHoles(TimeSpan timeout, List<Offset> expired)
    {
        if (_holes == 0)
        {
            return;
        }

        foreach (var slot in _slots)
        {
            if (slot is { IsHole: true, IsBeingRead: false, MissingMark: > 0 } && _time.GetElapsedTime(slot.MissingSince) >= timeout)
            {
                expired.Add(slot.Offset);
            }
        }
    }

    /// <summary>A tombstone stands in the slot for ever.</summary>
    public void Closed(Offset offset)
    {
        if (Find(offset) is { IsHole: true } slot)
        {
            SettleWhole(slot);
        }
    }

    /// <summary>When the next hole is due, as a timestamp; <see cref="long.MaxValue"/> without one.</summary>
    public long NextDue()
    {
        // Only where the plan stopped for it: a plan that had no room is made again when there is some, and not before.
        var due = _isGracePending ? _graceEnds : long.MaxValue;
        if (_holes > 0)
        {
            foreach (var slot in _slots)
            {
                if (slot is { IsHole: true, IsBeingRead: false })
                {
                    due = Math.Min(due, slot.NextRead);
                }
            }
        }

        return due;
    }

    /// <summary>Slots let go since the last call: what they took of the budget is free.</summary>
    public IReadOnlyList<WindowSlot> TakeReleased()
    {
        if (Released.Count == 0)
        {
            return [];
        }

        var released = Released.ToArray();
        Released.Clear();
        return released;
    }

    /// <summary>Everything that still takes budget: for the end of the window.</summary>
    public IReadOnlyList<WindowSlot> Slots => _slots;

    private void Fill(WindowSlot slot, Entry entry, long mark)
    {
        slot.Entry = entry;
        slot.ReadMark = mark;
        _holes--;
        if (entry.IsTombstone)
        {
            SettleWhole(slot);
            return;
        }

        slot.Unsettled = CountUnsettled(slot, entry);
        if (slot.Unsettled == 0 && entry.Error is null)
        {
            SettleWhole(slot);
        }
    }

    private int CountUnsettled(WindowSlot slot, Entry entry)
    {
        var unsettled = 0;
        for (var index = 0; index < entry.Messages.Length; index++)
        {
            unsettled += Progress.Contains(new Position(slot.Offset, index)) ? 0 : 1;
        }

        return unsettled;
    }

    private void StayMissing(WindowSlot slot, long began, long now)
    {
        if (Breaks(BrokenRules.FloorPastHole))
        {
            SettleWhole(slot);
            return;
        }

        if (slot.MissingMark == 0)
        {
            slot.MissingSince = now;
        }

        slot.MissingMark = began;
        slot.Pause = slot.Pause == TimeSpan.Zero ? FirstPause : slot.Pause * 2 > LongestPause ? LongestPause : slot.Pause * 2;

        // The slot can have been filled while it was read; the word of it counts once.
        var pause = slot.IsFilled ? TimeSpan.Zero : slot.Pause;
        slot.IsFilled = false;
        slot.NextRead = Breaks(BrokenRules.NoWakeForHoles) ? long.MaxValue : now + Ticks(pause);
    }

    /// <summary>Holes whose time has come, and those that keep back an entry that was read after them.</summary>
    private void CollectHoles(long now, List<Offset> offsets)
    {
        long above = 0;
        for (var i = _slots.Count - 1; i >= 0; i--)
        {
            var slot = _slots[i];
            if (!slot.IsHole)
            {
                above = slot.IsDelivered ? above : Math.Max(above, slot.ReadMark);
            }
            else if (!slot.IsBeingRead && (slot.NextRead <= now || slot.MissingMark < above))
            {
                slot.IsBeingRead = true;
                offsets.Add(slot.Offset);
            }
        }

        offsets.Reverse();
    }

    private void Skip(PositionRange range)
    {
        if (!Progress.Add(range))
        {
            return;
        }

        // Entries in flight below go on; their settling finds nothing left to do.
        for (var i = _slots.Count - 1; i >= 0; i--)
        {
            var slot = _slots[i];
            if (slot.Offset >= range.From.Offset && slot.Offset < range.To.Offset && !slot.IsDelivered)
            {
                RemoveAt(i);
            }
        }
    }

    // What lies between settled ranges is read whatever their number: a cursor stored at the cap would else never move again.
    private bool HasRoom() =>
        _slots.Count < MaxSlots && (Progress.Ranges.Count < MaxRanges || Position.StartOf(_next) < Progress.Ranges[^1].From);

    private long Ticks(TimeSpan duration) => (long)(duration.TotalSeconds * _time.TimestampFrequency);

    // Only the last slot: whatever is above it, other processes' entries too, is read at once.
    private bool IsBeingFilledHere(Offset offset) => offset == Tail && offset > _filled && _pending is not null && _pending.Contains(Shard, offset);

    private bool IsFresh(Offset offset) => offset > _notFresh && offset > _filled;

    private WindowSlot? Find(Offset offset)
    {
        var index = IndexOf(offset);
        return index >= 0 ? _slots[index] : null;
    }

    private int IndexOf(Offset offset)
    {
        int low = 0, high = _slots.Count - 1;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var order = _slots[middle].Offset.CompareTo(offset);
            if (order == 0)
            {
                return middle;
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return -1;
    }

    private void Remove(WindowSlot slot)
    {
        var index = IndexOf(slot.Offset);
        if (index >= 0 && ReferenceEquals(_slots[index], slot))
        {
            RemoveAt(index);
        }
    }

    private void RemoveAt(int index)
    {
        var slot = _slots[index];
        _slots.RemoveAt(index);
        _delivered -= slot.IsDelivered ? 1 : 0;
        _holes -= slot.IsHole ? 1 : 0;
        Released.Add(slot);
    }

    private bool Breaks(BrokenRules rule) => (_broken & rule) != 0;
}

/// <summary>Slots to read, and the window's clock when the read begins.</summary>
internal readonly record struct WindowRead(ShardWindow Window, IReadOnlyList<Offset> Offsets, long Began)
{
    public bool IsEmpty => Offsets.Count == 0;
}

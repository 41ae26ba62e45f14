using Pub.Storage;
using Pub.Topics;

namespace Pub.Subscriptions;

/// <summary>The reading side: one loop that plans under the gate, reads without it, and hands out.</summary>
internal sealed partial class LeaseReader
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private long? _fencesLooked;
    private int _firstWindow;
    private bool _isShort;

    /// <summary>Reads until the reader has ended. Trouble of the store is waited out here; anything else ends the loop.</summary>
    public async Task RunAsync()
    {
        var pause = FirstPause;
        while (!_isEnded)
        {
            try
            {
                var didSomething = await StepAsync();
                pause = FirstPause;
                if (!didSomething)
                {
                    await SleepAsync();
                }
            }
            catch (OperationCanceledException) when (_isEnded)
            {
                return;
            }
            catch (PubException e) when (e.IsTransient)
            {
                SubscriptionLog.ReadRetried(_context.Logger, _context.Subscription, _grant.Lease, pause, e);
                await _context.Runtime.Delay(_context.Runtime.Jitter(pause), CancellationToken.None);
                pause = pause * 2 > LongestPause ? LongestPause : pause * 2;
            }
        }
    }

    private async Task<bool> StepAsync()
    {
        if (_isDraining)
        {
            return false;
        }

        await ProbeAsync();
        await LookAtFencesAsync();
        var did = await ReadAsync();
        did |= await CloseHolesAsync();
        did |= HandOut();
        did |= await SetAsideUndecodableAsync();
        did |= await HandOutSuspectAsync();
        return did;
    }

    private async Task SleepAsync()
    {
        var due = long.MaxValue;
        lock (_gate)
        {
            if (!_isDraining)
            {
                foreach (var window in _windows)
                {
                    due = window.IsRetired ? due : Math.Min(due, window.NextDue());
                }
            }
        }

        var time = _context.Runtime.Time;
        if (_fences.HasHeld)
        {
            due = Math.Min(due, time.GetTimestamp() + (long)(ShardFences.LookInterval.TotalSeconds * time.TimestampFrequency));
        }

        if (due != long.MaxValue)
        {
            var wait = TimeSpan.FromSeconds((double)(due - time.GetTimestamp()) / time.TimestampFrequency);
            _wake.SetAfter(wait > TimeSpan.Zero ? wait : TimeSpan.Zero);
        }

        await _wake.WaitAsync();
    }

    /// <summary>Shards that were added later are read once their keys' old shards are settled.</summary>
    private async Task LookAtFencesAsync()
    {
        IReadOnlyList<ShardId> others;
        lock (_gate)
        {
            if (!_fences.HasHeld)
            {
                return;
            }

            _fences.Pass(shard => _byShard.GetValueOrDefault(shard)?.Progress.Floor);
            others = _fences.OfOtherLeases(_grant.Lease);
        }

        if (others.Count == 0 || (_fencesLooked is { } looked && _context.Runtime.Time.GetElapsedTime(looked) < ShardFences.LookInterval))
        {
            return;
        }

        _fencesLooked = _context.Runtime.Time.GetTimestamp();
        var floors = await _fences.ReadAsync(others, Cancelled);
        lock (_gate)
        {
            _fences.Pass(shard => floors.TryGetValue(shard, out var floor) ? floor : null);
        }
    }

    private async Task<bool> ReadAsync()
    {
        var (reads, slots) = PlanReads();
        if (slots.Count == 0)
        {
            return false;
        }

        Entry?[] found;
        try
        {
            found = await _context.Cache.ReadAsync(slots, Cancelled);
        }
        catch
        {
            lock (_gate)
            {
                foreach (var read in reads)
                {
                    read.Window.Abandon(read);
                }
            }

            throw;
        }

        TakeIn(reads, found);
        if (_isShort)
        {
            // Everybody who waited for room was woken at once: let the others have their turn before this one asks again.
            await Task.Yield();
        }

        return true;
    }

    private (List<WindowRead> Reads, List<(ShardId Shard, Offset Offset)> Slots) PlanReads()
    {
        var reads = new List<WindowRead>();
        var slots = new List<(ShardId, Offset)>();
        var room = _context.Budget.Room;
        lock (_gate)
        {
            // What a fetch brings is known only then: go by what entries held so far.
            var entries = room == 0 ? 0 : Math.Clamp((int)(room / _messagesPerEntry / 2), 1, FetchEntries);
            var wantsMore = false;
            _firstWindow = _windows.Count == 0 ? 0 : (_firstWindow + 1) % _windows.Count;
            for (var i = 0; i < _windows.Count; i++)
            {
                // Each in turn is first: one with a long backlog would leave nothing to those behind it.
                var window = _windows[(_firstWindow + i) % _windows.Count];
                if (window.IsRetired || _fences.Holds(window.Shard))
                {
                    continue;
                }

                var read = window.PlanRead(entries - Math.Min(entries, slots.Count));
                wantsMore |= window.Next <= window.Tail;
                if (!read.IsEmpty)
                {
                    reads.Add(read);
                    foreach (var offset in read.Offsets)
                    {
                        slots.Add((window.Shard, offset));
                    }
                }
            }

            _isShort = wantsMore && room <= FetchEntries;
            if (!wantsMore || room > 0)
            {
                return (reads, slots);
            }
        }

        _context.Budget.WaitForRoom(_wake);
        return (reads, slots);
    }

    private void TakeIn(List<WindowRead> reads, Entry?[] found)
    {
        var messages = 0;
        var bytes = 0;
        Freed freed = default;
        lock (_gate)
        {
            if (_isEnded)
            {
                return;
            }

            var index = 0;
            foreach (var read in reads)
            {
                var entries = new ArraySegment<Entry?>(found, index, read.Offsets.Count);
                index += read.Offsets.Count;
                read.Window.Complete(read, entries);
                foreach (var slot in read.Window.Slots)
                {
                    if (slot is { Entry: { } entry, BudgetBytes: 0 })
                    {
                        slot.BudgetMessages = slot.Unsettled;
                        slot.BudgetBytes = entry.EncodedBytes;
                        messages += slot.BudgetMessages;
                        bytes += slot.BudgetBytes;
                        _messagesPerEntry += (entry.Messages.Length - _messagesPerEntry) / 16;
                    }
                }

                freed += Free(read.Window);
            }

            _messagesPerEntry = Math.Max(1, _messagesPerEntry);
        }

        if (messages != 0 || bytes != 0)
        {
            _context.Budget.Take(messages, bytes);
        }

        if (freed.Slots > 0)
        {
            Release(freed);
            _cursor.MarkDirty();
        }
    }

    private async Task<bool> CloseHolesAsync()
    {
        var expired = new List<(ShardWindow Window, Offset Offset)>();
        lock (_gate)
        {
            var offsets = new List<Offset>();
            foreach (var window in _windows)
            {
                if (window.IsRetired)
                {
                    continue; // what is not read again stays open, and would be closed again and again
                }

                offsets.Clear();
                window.CollectExpiredHoles(_context.Timings.GapTimeout, offsets);
                expired.AddRange(offsets.Select(offset => (window, offset)));
            }
        }

        foreach (var (window, offset) in expired)
        {
            if (!_context.Runtime.Breaks(BrokenRules.NoTombstone) && await _context.Log.CloseSlotAsync(window.Shard, offset) != WriteStatus.Applied)
            {
                // The message is there after all: it is read next.
                lock (_gate)
                {
                    window.ObserveFilled(offset);
                }

                continue;
            }

            SubscriptionLog.HoleClosed(_context.Logger, window.Shard, offset);
            _context.Counters.AddTombstone();
            Freed freed;
            lock (_gate)
            {
                window.Closed(offset);
                freed = Free(window);
            }

            Release(freed);
            _cursor.MarkDirty();
        }

        return expired.Count > 0;
    }

    private async Task ProbeAsync()
    {
        IReadOnlyList<ShardId> due;
        lock (_gate)
        {
            due = _probe.HasDue ? _probe.TakeDue() : [];
        }

        for (var i = 0; i < due.Count; i++)
        {
            try
            {
                var tail = await _probe.RaiseAsync(due[i], Cancelled);
                lock (_gate)
                {
                    var window = _byShard[due[i]];
                    window.Observe(tail, window.Progress.Floor.Offset, []);
                }
            }
            catch
            {
                lock (_gate)
                {
                    foreach (var shard in due.Skip(i))
                    {
                        _probe.PutBack(shard);
                    }
                }

                throw;
            }
        }
    }
}

namespace Pub.Subscriptions;

/// <summary>
/// What may have killed the former holder, one message at a time (executions.md 31).
/// <code>
/// at most one suspect is with a handler, and its count is stored before it is
/// </code>
/// </summary>
internal sealed partial class LeaseReader
{
    private readonly Queue<Delivery> _suspects = new();
    private Delivery? _suspect;
    private bool _isSuspectDone = true;

    /// <summary>
    /// After taking over from the dead: one message at a time, its delivery count written before it is delivered, so that one that kills its process
    /// is found out (executions.md 31).
    /// </summary>
    private async Task<bool> HandOutSuspectAsync()
    {
        var expired = new List<Delivery>();
        Freed freed = default;
        Delivery? suspect;
        lock (_gate)
        {
            if (_isEnded || _isDraining || !_isSuspectDone)
            {
                return false;
            }

            if (_suspects.Count == 0)
            {
                freed = CollectSuspects(expired);
            }

            if (_suspects.TryDequeue(out suspect))
            {
                _suspect = suspect;
                _isSuspectDone = false;
                _counts.Set(ShardOf(suspect.Slot), new Position(suspect.Slot.Offset, suspect.Index), suspect.DeliveryCount - DeliveriesBefore(suspect.Message));
            }

            Count(expired);
        }

        Release(freed);
        StartSettingAside(expired, DeadLetterReasons.Expired);
        if (suspect is null)
        {
            if (freed.Slots > 0)
            {
                _cursor.MarkDirty();
            }

            return freed.Slots > 0 || _undecodable.Count > 0;
        }

        _cursor.MarkDirty();
        return await _cursor.FlushAsync() && TryDeliverSuspect(suspect);
    }

    /// <summary>Takes what may be delivered of the first window that has suspects; under the gate.</summary>
    private Freed CollectSuspects(List<Delivery> expired)
    {
        var slots = new List<WindowSlot>();
        var suspects = new List<Delivery>();
        Freed freed = default;
        foreach (var window in _windows)
        {
            if (_suspects.Count > 0 || window.IsRetired || !_ahead.HasSuspects(window))
            {
                continue;
            }

            slots.Clear();
            suspects.Clear();
            window.TakeDeliverable(_ahead.SuspectsBelow(window.Shard), slots);
            foreach (var slot in slots)
            {
                Unpack(slot, suspects, expired);
            }

            foreach (var suspect in suspects)
            {
                _suspects.Enqueue(suspect);
            }

            freed += Free(window);
        }

        return freed;
    }

    private bool TryDeliverSuspect(Delivery suspect)
    {
        List<Delivery> tooMany;
        lock (_gate)
        {
            if (_isEnded)
            {
                return false;
            }

            if (_isDraining)
            {
                // Its count is written already, and is written no higher the next time.
                RequeueSuspect(suspect);
                _suspect = null;
                _isSuspectDone = true;
                return false;
            }

            tooMany = Enqueue([suspect]);
        }

        StartSettingAside(tooMany, DeadLetterReasons.TooManyDeliveries);
        return true;
    }

    /// <summary>At the head of the suspects; under the gate.</summary>
    private void RequeueSuspect(Delivery again)
    {
        Delivery[] others = [.. _suspects];
        _suspects.Clear();
        _suspects.Enqueue(again);
        foreach (var other in others)
        {
            _suspects.Enqueue(other);
        }
    }
}

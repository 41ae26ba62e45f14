using Pub.Topics;

namespace Pub.Subscriptions;

/// <summary>From entries that may be delivered to deliveries in the queue.</summary>
internal sealed partial class LeaseReader
{
    private readonly List<WindowSlot> _undecodable = [];

    private bool HandOut()
    {
        var deliveries = new List<Delivery>();
        var expired = new List<Delivery>();
        List<Delivery> tooMany;
        Freed freed = default;
        var mustWrite = false;
        lock (_gate)
        {
            if (_isEnded || _isDraining)
            {
                return false;
            }

            var slots = new List<WindowSlot>();
            foreach (var window in _windows)
            {
                if (!window.IsRetired && !_ahead.HasSuspects(window))
                {
                    slots.Clear();
                    var ahead = _ahead.StoredOf(window.Shard);
                    window.TakeDeliverable(ahead, slots);
                    mustWrite |= window.WaitsFor(ahead);
                    foreach (var slot in slots)
                    {
                        Unpack(slot, deliveries, expired);
                    }
                }

                freed += Free(window);
            }

            tooMany = Enqueue(deliveries);
            Count(expired);
        }

        Release(freed);
        if (mustWrite || freed.Slots > 0)
        {
            _cursor.MarkDirty();
        }

        StartSettingAside(tooMany, DeadLetterReasons.TooManyDeliveries);
        StartSettingAside(expired, DeadLetterReasons.Expired);
        return deliveries.Count > 0 || freed.Slots > 0;
    }

    /// <summary>Makes an entry's deliveries; under the gate.</summary>
    private void Unpack(WindowSlot slot, List<Delivery> deliveries, List<Delivery> expired)
    {
        var entry = slot.Entry!;
        if (entry.IsUndecodable)
        {
            _undecodable.Add(slot);
            return;
        }

        var window = slot.Window;
        var now = _context.Runtime.UnixMilliseconds;
        for (var index = 0; index < entry.Messages.Length; index++)
        {
            var position = new Position(slot.Offset, index);
            if (window.Progress.Contains(position))
            {
                continue;
            }

            var message = entry.Messages[index];
            var count = _counts[window.Shard, position] + 1 + DeliveriesBefore(message);
            if (message.ExpiresMilliseconds is { } expires && expires <= now)
            {
                _context.Counters.AddExpired();
                if (!_context.Options.DeadLetterExpired)
                {
                    window.Settle(slot, index);
                    continue;
                }

                expired.Add(new Delivery(this, slot, index, message, count, _context.NextArrival()));
                continue;
            }

            deliveries.Add(new Delivery(this, slot, index, message, count, _context.NextArrival()));
        }
    }

    /// <summary>How often the message had been delivered before it was set aside for later.</summary>
    private static int DeliveriesBefore(Message message) =>
        message.MayHaveHeader("pub-deliveries"u8) && !message.MayHaveHeader("pub-dead-lettered"u8)
            && message.Headers.TryGetValue(PubHeaders.Deliveries, out var text)
            && int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var before)
            ? before
            : 0;

    /// <summary>Puts them into the queue; under the gate. Answers those that were delivered too often, counted as in flight, to be set aside.</summary>
    private List<Delivery> Enqueue(List<Delivery> deliveries)
    {
        if (deliveries.Count == 0)
        {
            return [];
        }

        var most = _context.Options.MaxDeliveries;
        var tooMany = deliveries.FindAll(delivery => delivery.DeliveryCount > most);
        if (tooMany.Count > 0)
        {
            deliveries.RemoveAll(delivery => delivery.DeliveryCount > most);
            Count(tooMany);
        }

        _context.Queue.Enqueue(deliveries);
        return tooMany;
    }

    /// <summary>Under the gate, so that a drain waits for them.</summary>
    private void Count(List<Delivery> setAside) => Interlocked.Add(ref _inFlight, setAside.Count);

    private async Task<bool> SetAsideUndecodableAsync()
    {
        var did = _undecodable.Count > 0;
        while (_undecodable.Count > 0)
        {
            var slot = _undecodable[0];
            SubscriptionLog.EntryUndecodable(_context.Logger, slot.Window.Shard, slot.Offset, slot.Entry!.Error!);
            await _context.SetAside.DeadLetterAsync(_context.DeadLetterQueue, _context.Subscription, slot.Window.Shard, slot.Offset, slot.Entry!);
            _undecodable.RemoveAt(0);
            _context.Counters.AddUndecodable();
            Freed freed;
            lock (_gate)
            {
                slot.Window.SettleWhole(slot);
                freed = Free(slot.Window);
            }

            Release(freed);
            _cursor.MarkDirty();
        }

        return did;
    }
}

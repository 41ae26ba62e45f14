namespace Pub.Subscriptions;

/// <summary>The settling side: called by handlers, from any thread.</summary>
internal sealed partial class LeaseReader
{
    private readonly Queue<Delivery> _suspects = new();

    /// <summary>The delivery is done with.</summary>
    public bool Acknowledge(Delivery delivery)
    {
        var isOurs = Settle(delivery);
        Leave(delivery);
        return isOurs;
    }

    /// <summary>The delivery comes again where it is.</summary>
    public bool Return(Delivery delivery)
    {
        var shard = ShardOf(delivery.Slot);
        var position = new Position(delivery.Slot.Offset, delivery.Index);
        Delivery? again = new(this, delivery.Slot, delivery.Index, delivery.Message, delivery.DeliveryCount + 1, _context.NextArrival(), delivery.Order);
        bool isKept;
        lock (_gate)
        {
            if (_isEnded)
            {
                again = null;
                isKept = false;
            }
            else
            {
                _counts.Set(shard, position, delivery.DeliveryCount - DeliveriesBefore(delivery.Message));
                isKept = _isDraining || ReferenceEquals(_suspect, delivery);
                if (isKept && ReferenceEquals(_suspect, delivery))
                {
                    // Still a suspect: counted and written again before it is delivered again.
                    RequeueSuspect(again);
                }
                else if (isKept)
                {
                    _withdrawn.Add(again);
                }
            }
        }

        if (again is null)
        {
            _context.Counters.AddDiscarded();
            Leave(delivery);
            return false;
        }

        _context.Counters.AddRedelivered();
        _cursor.MarkDirty();
        if (isKept)
        {
            Leave(delivery);
        }
        else if (again.DeliveryCount > _context.Options.MaxDeliveries)
        {
            // Keeps the lane until it is safe in the dead-letter queue.
            again.Lane = delivery.Lane;
            delivery.Lane = null;
            SetAsideTooMany(again);
            CountEnded(delivery);
        }
        else
        {
            _context.Queue.Return(delivery, again);
            CountEnded(delivery);
        }

        return true;
    }

    /// <summary>The message goes to the subscription's own queue, and is settled here once it is safe there.</summary>
    public async ValueTask<bool> ReturnLaterAsync(Delivery delivery, TimeSpan delay)
    {
        if (delivery.DeliveryCount >= _context.Options.MaxDeliveries)
        {
            return await DeadLetterAsync(delivery, DeadLetterReasons.TooManyDeliveries, null);
        }

        try
        {
            await _context.SetAside.DelayAsync(_context.Subscription, delivery.Place, delivery.Message, delivery.DeliveryCount, delay);
        }
        catch
        {
            // Not safe there, so it stays here and comes again at once.
            Return(delivery);
            throw;
        }

        _context.Counters.AddRedelivered();
        return Acknowledge(delivery);
    }

    /// <summary>The message goes to the dead-letter queue, and is settled here once it is safe there.</summary>
    public async ValueTask<bool> DeadLetterAsync(Delivery delivery, string reason, Exception? exception)
    {
        try
        {
            await _context.SetAside.DeadLetterAsync(
                _context.DeadLetterQueue, _context.Subscription, delivery.Place, delivery.Message, delivery.DeliveryCount, reason, exception);
        }
        catch
        {
            Return(delivery);
            throw;
        }

        _context.Counters.AddDeadLettered();
        return Acknowledge(delivery);
    }

    /// <summary>A message passed its time to live while it was ready: settled without delivery, or dead-lettered.</summary>
    public void Expire(Delivery delivery)
    {
        _context.Counters.AddExpired();
        if (_context.Options.DeadLetterExpired)
        {
            SetAsideExpired(delivery);
            CountEnded(delivery);
        }
        else
        {
            Acknowledge(delivery);
        }
    }

    private bool Settle(Delivery delivery)
    {
        IReadOnlyList<WindowSlot> released;
        bool wake;
        lock (_gate)
        {
            if (_isEnded)
            {
                _context.Counters.AddDiscarded();
                return false;
            }

            var window = delivery.Slot.Window;
            wake = window.IsAtCap;
            window.Settle(delivery.Slot, delivery.Index);
            _counts.Remove(window.Shard, new Position(delivery.Slot.Offset, delivery.Index));
            released = window.TakeReleased();
        }

        _context.Counters.AddSettled();
        Release(released);
        _cursor.MarkDirty();
        if (wake)
        {
            _wake.Set();
        }

        return true;
    }

    /// <summary>The handler has left: the next of its key may come, and a drain may end.</summary>
    private void Leave(Delivery delivery)
    {
        _context.Queue.Finish(delivery);
        CountEnded(delivery);
    }

    private void CountEnded(Delivery delivery)
    {
        var wasSuspect = false;
        lock (_gate)
        {
            if (ReferenceEquals(_suspect, delivery))
            {
                wasSuspect = true;
                _suspect = null;
                _isSuspectDone = true;
            }
        }

        if (wasSuspect)
        {
            _wake.Set();
        }

        if (Interlocked.Decrement(ref _inFlight) == 0)
        {
            SignalIfDrained();
        }
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

    private void SetAsideTooMany(Delivery delivery) => SetAside(delivery, DeadLetterReasons.TooManyDeliveries);

    private void SetAsideExpired(Delivery delivery) => SetAside(delivery, DeadLetterReasons.Expired);

    /// <summary>Dead-letters a delivery that no handler has; counts as in flight until that is done.</summary>
    private void SetAside(Delivery delivery, string reason)
    {
        CountStarted();
        _ = _context.Runtime.Start(async () =>
        {
            var pause = FirstPause;
            while (!_isEnded)
            {
                try
                {
                    await _context.SetAside.DeadLetterAsync(
                        _context.DeadLetterQueue, _context.Subscription, delivery.Place, delivery.Message, delivery.DeliveryCount - 1, reason, null);
                    _context.Counters.AddDeadLettered();
                    break;
                }
                catch (PubException e)
                {
                    SubscriptionLog.SetAsideRetried(_context.Logger, delivery.Place, pause, e);
                    await _context.Runtime.Delay(_context.Runtime.Jitter(pause), CancellationToken.None);
                    pause = pause * 2 > LongestPause ? LongestPause : pause * 2;
                }
            }

            Acknowledge(delivery);
        });
    }
}

/// <summary>Why a message was dead-lettered, as its header says.</summary>
internal static class DeadLetterReasons
{
    public const string TooManyDeliveries = "too-many-deliveries";
    public const string Expired = "expired";
    public const string Undecodable = "undecodable";
}

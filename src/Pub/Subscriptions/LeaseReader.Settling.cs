namespace Pub.Subscriptions;

/// <summary>The settling side: called by handlers, from any thread.</summary>
internal sealed partial class LeaseReader
{
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
                isKept = PutBack(delivery, again);
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
            CountStarted();
            StartSettingAside([again], DeadLetterReasons.TooManyDeliveries);
            CountEnded(delivery);
        }
        else
        {
            CountEnded(delivery);
        }

        return true;
    }

    /// <summary>Whether it does not go back to its lane; under the gate.</summary>
    private bool PutBack(Delivery delivery, Delivery again)
    {
        if (ReferenceEquals(_suspect, delivery))
        {
            // Still a suspect: counted and written again before it is delivered again.
            RequeueSuspect(again);
            return true;
        }

        if (again.DeliveryCount > _context.Options.MaxDeliveries)
        {
            return false;
        }

        if (_isDraining)
        {
            _withdrawn.Add(again);
            return true;
        }

        _context.Queue.Return(delivery, again);
        return false;
    }

    /// <summary>The message goes to the subscription's own queue, and is settled here once it is safe there.</summary>
    public async ValueTask<bool> ReturnLaterAsync(Delivery delivery, TimeSpan delay)
    {
        if (IsDiscarded(delivery))
        {
            return false;
        }

        if (delivery.DeliveryCount >= _context.Options.MaxDeliveries)
        {
            return await DeadLetterAsync(delivery, DeadLetterReasons.TooManyDeliveries, null);
        }

        if (_context.Options.HoldKey && TryHold(delivery, delay))
        {
            return true;
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

    /// <summary>Keeps the message where it is, and its key with it, until the delay is over. A lease that is given up or lost ends the hold.</summary>
    private bool TryHold(Delivery delivery, TimeSpan delay)
    {
        var again = new Delivery(this, delivery.Slot, delivery.Index, delivery.Message, delivery.DeliveryCount + 1, _context.NextArrival(), delivery.Order);
        lock (_gate)
        {
            if (_isEnded || _isDraining || ReferenceEquals(_suspect, delivery) || !_context.Queue.TryHold(delivery, again, delay))
            {
                return false;
            }

            _counts.Set(ShardOf(delivery.Slot), new Position(delivery.Slot.Offset, delivery.Index), delivery.DeliveryCount - DeliveriesBefore(delivery.Message));
        }

        _context.Counters.AddRedelivered();
        _cursor.MarkDirty();
        CountEnded(delivery);
        return true;
    }

    /// <summary>The message goes to the dead-letter queue, and is settled here once it is safe there.</summary>
    public async ValueTask<bool> DeadLetterAsync(Delivery delivery, string reason, Exception? exception)
    {
        if (IsDiscarded(delivery))
        {
            return false;
        }

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
            // It stays in flight, and in its lane, until it is safe there.
            StartSettingAside([delivery], DeadLetterReasons.Expired);
        }
        else
        {
            Acknowledge(delivery);
        }
    }

    /// <summary>The lease is lost: it is delivered elsewhere, so it is not written elsewhere by this one.</summary>
    private bool IsDiscarded(Delivery delivery)
    {
        if (!_isEnded)
        {
            return false;
        }

        _context.Counters.AddDiscarded();
        Leave(delivery);
        return true;
    }

    private bool Settle(Delivery delivery)
    {
        Freed freed;
        bool wake;
        lock (_gate)
        {
            if (_isEnded)
            {
                _context.Counters.AddDiscarded();
                return false;
            }

            var window = delivery.Slot.Window;

            // Reading goes on below the cap, and the shard is handed out as usual behind its last suspect.
            wake = window.IsAtCap || _ahead.HasSuspects(window);
            window.Settle(delivery.Slot, delivery.Index);
            _counts.Remove(window.Shard, new Position(delivery.Slot.Offset, delivery.Index));
            freed = Free(window);
        }

        _context.Counters.AddSettled();
        Release(freed);
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
        // Only the delivery's own end changes this, so one that is not the suspect needs no gate to know it.
        if (ReferenceEquals(Volatile.Read(ref _suspect), delivery))
        {
            lock (_gate)
            {
                _suspect = null;
                _isSuspectDone = true;
            }

            _wake.Set();
        }

        if (Interlocked.Decrement(ref _inFlight) == 0)
        {
            SignalIfDrained();
        }
    }

    /// <summary>Dead-letters deliveries that no handler has, and that count as in flight until that is done.</summary>
    private void StartSettingAside(List<Delivery> deliveries, string reason)
    {
        foreach (var delivery in deliveries)
        {
            _ = _context.Runtime.Start(() => SetAsideAsync(delivery, reason));
        }
    }

    private async Task SetAsideAsync(Delivery delivery, string reason)
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
            catch (Exception e)
            {
                // Whatever it is: the message keeps its place until it is safe elsewhere or the lease is gone.
                SubscriptionLog.SetAsideRetried(_context.Logger, delivery.Place, pause, e);
                await _context.Runtime.Delay(_context.Runtime.Jitter(pause), CancellationToken.None);
                pause = pause * 2 > LongestPause ? LongestPause : pause * 2;
            }
        }

        Acknowledge(delivery);
    }
}

/// <summary>Why a message was dead-lettered, as its header says.</summary>
internal static class DeadLetterReasons
{
    public const string TooManyDeliveries = "too-many-deliveries";
    public const string Expired = "expired";
    public const string Undecodable = "undecodable";
}

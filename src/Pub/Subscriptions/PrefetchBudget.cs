namespace Pub.Subscriptions;

/// <summary>
/// What one consumer may hold read ahead and in flight, over all its leases: messages, and bytes of the entries they keep in memory.
/// <code>
/// 0 ≤ taken; taken exceeds the maximum by at most one fetch of each lease
/// who found no room is woken when an eighth is free, or when there is any and a handler has nothing to do
/// </code>
/// </summary>
internal sealed class PrefetchBudget(int maxMessages, long maxBytes)
{
    private readonly Lock _lock = new();
    private readonly List<AsyncSignal> _waiting = [];
    private int _messages;
    private long _bytes;

    public int Messages => Volatile.Read(ref _messages);

    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>How many more messages fit; 0 when messages or bytes have reached their maximum.</summary>
    public int Room
    {
        get
        {
            lock (_lock)
            {
                return FreeUnderLock;
            }
        }
    }

    private int FreeUnderLock => _bytes >= maxBytes ? 0 : Math.Max(0, maxMessages - _messages);

    public void Take(int messages, int bytes)
    {
        lock (_lock)
        {
            _messages += messages;
            _bytes += bytes;
        }
    }

    public void Release(int messages, long bytes)
    {
        AsyncSignal[] woken = [];
        lock (_lock)
        {
            _messages -= messages;
            _bytes -= bytes;

            // An eighth of the whole at a time, so that readers fetch batches and not single entries.
            if (_waiting.Count > 0 && FreeUnderLock > maxMessages / 8)
            {
                woken = [.. _waiting];
                _waiting.Clear();
            }
        }

        foreach (var signal in woken)
        {
            signal.Set();
        }
    }

    /// <summary>
    /// A handler has found nothing to do: whatever room there is, is used now. Without this, long handlers on most of the budget would keep the rest of it
    /// unused and the other handlers idle.
    /// </summary>
    public void UseRoom()
    {
        AsyncSignal[] woken;
        lock (_lock)
        {
            if (_waiting.Count == 0 || FreeUnderLock == 0)
            {
                return;
            }

            woken = [.. _waiting];
            _waiting.Clear();
        }

        foreach (var signal in woken)
        {
            signal.Set();
        }
    }

    /// <summary>The reader has ended; it needs no room.</summary>
    public void Forget(AsyncSignal signal)
    {
        lock (_lock)
        {
            _waiting.Remove(signal);
        }
    }

    /// <summary>Wakes the signal when there is room again; at once if there is much now.</summary>
    public void WaitForRoom(AsyncSignal signal)
    {
        lock (_lock)
        {
            if (FreeUnderLock <= maxMessages / 8)
            {
                if (!_waiting.Contains(signal))
                {
                    _waiting.Add(signal);
                }

                return;
            }
        }

        signal.Set();
    }
}

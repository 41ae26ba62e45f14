namespace Pub.Subscriptions;

/// <summary>What one consumer has done since it started. Read by diagnostics and tests; each number only rises.</summary>
internal sealed class ConsumerCounters
{
    private long _settled;
    private long _redelivered;
    private long _deadLettered;
    private long _expired;
    private long _discarded;
    private long _tombstones;
    private long _undecodable;

    /// <summary>Messages settled, however.</summary>
    public long Settled => Interlocked.Read(ref _settled);

    /// <summary>Nacks, with and without delay.</summary>
    public long Redelivered => Interlocked.Read(ref _redelivered);

    public long DeadLettered => Interlocked.Read(ref _deadLettered);

    /// <summary>Messages past their time to live.</summary>
    public long Expired => Interlocked.Read(ref _expired);

    /// <summary>Deliveries whose settling came after their lease was lost.</summary>
    public long Discarded => Interlocked.Read(ref _discarded);

    /// <summary>Holes closed.</summary>
    public long Tombstones => Interlocked.Read(ref _tombstones);

    /// <summary>Entries that could not be decoded.</summary>
    public long Undecodable => Interlocked.Read(ref _undecodable);

    public void AddSettled() => Interlocked.Increment(ref _settled);

    public void AddRedelivered() => Interlocked.Increment(ref _redelivered);

    public void AddDeadLettered() => Interlocked.Increment(ref _deadLettered);

    public void AddExpired() => Interlocked.Increment(ref _expired);

    public void AddDiscarded() => Interlocked.Increment(ref _discarded);

    public void AddTombstone() => Interlocked.Increment(ref _tombstones);

    public void AddUndecodable() => Interlocked.Increment(ref _undecodable);
}

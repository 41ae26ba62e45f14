namespace Pub.Leases;

/// <summary>
/// Who works on the leases that a <see cref="LeaseKeeper"/> gets. The keeper decides what is held; the holder reads, delivers and writes cursors.
/// </summary>
/// <remarks>
/// For one lease the calls come in this order: Take, then TryGiveUp any number of times, the last of which may answer true, or Lose. Take and TryGiveUp
/// are called one after the other; <see cref="Lose"/> comes at any time and from any thread, and may be repeated or come for a lease that is not held:
/// then it does nothing.
/// </remarks>
internal interface ILeaseHolder
{
    /// <summary>The claim is written: the holder starts reading. Returns at once.</summary>
    void Take(LeaseGrant grant);

    /// <summary>Whether no delivery of the lease is in flight right now. Idle leases are given up first.</summary>
    bool IsIdle(int lease);

    /// <summary>
    /// Stops reading, lets handlers finish within <paramref name="patience"/>, and writes the cursor. True: the cursor's last write has a known
    /// outcome, nothing is read or written under this token any more, and the keeper may release. False: a handler runs longer, or the cursor
    /// could not be written; the lease is kept and read on.
    /// </summary>
    Task<bool> TryGiveUpAsync(int lease, TimeSpan patience);

    /// <summary>The lease is gone: cancel handlers, write nothing more, return at once.</summary>
    void Lose(int lease, string reason);
}

/// <summary>A lease as one session got it.</summary>
/// <param name="Lease">The lease's number, from 0.</param>
/// <param name="Token">The assignment's token of this claim. The holder's first cursor write goes above this and the cursor's own.</param>
/// <param name="Session">The session in whose name it is held.</param>
/// <param name="TakenFromDead">Whether the former holder died: what it had in flight may be what killed it (design 5.7).</param>
internal readonly record struct LeaseGrant(int Lease, long Token, string Session, bool TakenFromDead);

/// <summary>What the leases of one keeper are about.</summary>
/// <param name="Subscription">The subscription.</param>
/// <param name="Incarnation">Which creation of it: part of the assignment's key.</param>
/// <param name="Leases">How many leases it has: <see cref="Many"/>, or one for a temporary subscription.</param>
internal readonly record struct LeaseScope(SubscriptionName Subscription, string Incarnation, int Leases = LeaseScope.Many)
{
    public const int Many = 16;
}

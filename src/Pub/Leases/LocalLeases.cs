namespace Pub.Leases;

/// <summary>
/// How far each lease of one keeper has come in this process.
/// </summary>
/// <remarks>
/// <code>
/// None → Held → Leaving → Ended → None        given up, released
///        Held ← Leaving                       a handler ran longer: kept
///        Held → Stranded → None               stopped without a known cursor write
///        Held → None,  Leaving → Dropping → None     lost
/// Ended never becomes Held: after the holder has let go it never goes on under that token
/// </code>
/// A token is one claim's alone, so it tells a lease from its later selves. Guarded by <c>_lock</c>; calls nobody inside.
/// </remarks>
internal sealed class LocalLeases(int count)
{
    private readonly Lock _lock = new();
    private readonly Slot[] _slots = new Slot[count];

    public int Count => count;

    /// <summary>What the plan needs. A held lease is shown as idle, busy or kept.</summary>
    public LeaseStage[] Stages(TimeSpan now, Func<int, bool> isIdle)
    {
        Slot[] slots;
        lock (_lock)
        {
            slots = [.. _slots];
        }

        return [.. slots.Select((s, n) => s.Stage != LeaseStage.Busy ? s.Stage : isIdle(n) ? LeaseStage.Idle : now < s.KeptUntil ? LeaseStage.Kept : LeaseStage.Busy)];
    }

    public (LeaseStage Stage, long Token) this[int lease]
    {
        get
        {
            lock (_lock)
            {
                return (_slots[lease].Stage, _slots[lease].Token);
            }
        }
    }

    public bool IsHeld(int lease, long token) => this[lease] == (LeaseStage.Busy, token);

    public bool IsAllDone()
    {
        lock (_lock)
        {
            return _slots.All(s => s.Stage is LeaseStage.None or LeaseStage.Dropping);
        }
    }

    public bool TryTake(int lease, long token) => Move(lease, LeaseStage.None, LeaseStage.Busy, null, token);

    public bool TryLeave(int lease, long token) => Move(lease, LeaseStage.Busy, LeaseStage.Leaving, token, token);

    public bool TryEnd(int lease, long token) => Move(lease, LeaseStage.Leaving, LeaseStage.Ended, token, token);

    public bool TryStrand(int lease, long token) => Move(lease, LeaseStage.Leaving, LeaseStage.Stranded, token, token);

    public bool TryKeep(int lease, long token, TimeSpan until)
    {
        lock (_lock)
        {
            if (_slots[lease].Stage != LeaseStage.Leaving || _slots[lease].Token != token)
            {
                return false;
            }

            _slots[lease] = new Slot(LeaseStage.Busy, token, until);
            return true;
        }
    }

    /// <summary>The holder has answered for a lease that was lost meanwhile.</summary>
    public bool TryDrop(int lease, long token) => Move(lease, LeaseStage.Dropping, LeaseStage.None, token, 0);

    /// <summary>Whether the holder has to be told. With <paramref name="token"/> null whichever it is.</summary>
    public bool TryLose(int lease, long? token = null) =>
        Move(lease, LeaseStage.Busy, LeaseStage.None, token, 0)
        || Move(lease, LeaseStage.Leaving, LeaseStage.Dropping, token, token ?? this[lease].Token);

    /// <summary>What was to be released or marked stands in this session's name no longer.</summary>
    public bool TryClear(int lease) => Move(lease, LeaseStage.Ended, LeaseStage.None, null, 0) || Move(lease, LeaseStage.Stranded, LeaseStage.None, null, 0);

    /// <summary>For a run that breaks <see cref="BrokenRules.GoOnAfterRelease"/> only.</summary>
    public bool TryGoOn(int lease, long token) => Move(lease, LeaseStage.Ended, LeaseStage.Busy, token, token);

    private bool Move(int lease, LeaseStage from, LeaseStage to, long? token, long newToken)
    {
        lock (_lock)
        {
            if (_slots[lease].Stage != from || (token is not null && _slots[lease].Token != token))
            {
                return false;
            }

            _slots[lease] = new Slot(to, newToken, default);
            return true;
        }
    }

    private readonly record struct Slot(LeaseStage Stage, long Token, TimeSpan KeptUntil);
}

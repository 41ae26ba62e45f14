namespace Pub.Leases;

/// <summary>
/// How many leases each member has and should have (docs/decisions/0006-sessions-and-leases.md). Pure, and the same for whoever computes it from the same
/// assignment.
/// </summary>
internal sealed class LeaseShares
{
    private readonly int _leases;
    private readonly int _extras;
    private readonly SortedDictionary<string, int> _counts = new(StringComparer.Ordinal);

    /// <param name="leases">How many there are.</param>
    /// <param name="members">The live members; at least one.</param>
    /// <param name="holders">Of each lease that a live member holds, its session.</param>
    public LeaseShares(int leases, IReadOnlyCollection<string> members, IEnumerable<string> holders)
    {
        _leases = leases;
        Base = leases / members.Count;
        _extras = leases % members.Count;
        foreach (var member in members)
        {
            _counts[member] = 0;
        }

        foreach (var holder in holders)
        {
            _counts[holder]++;
        }
    }

    /// <summary>What every member may have.</summary>
    public int Base { get; }

    private int Most => Base + (_extras > 0 ? 1 : 0);

    /// <summary>How many more a member may claim: up to the base, and one of the extras while there is one left.</summary>
    public int MayClaim(string member)
    {
        var lacks = Base - _counts[member];
        if (lacks < 0)
        {
            return 0;
        }

        return lacks + (_counts.Values.Count(c => c > Base) < _extras ? 1 : 0);
    }

    /// <summary>How many a member has to give, so that those who lack some can have them.</summary>
    public int MustGive(string member)
    {
        var left = new SortedDictionary<string, int>(_counts, StringComparer.Ordinal);
        var lacking = left.Values.Sum(c => Math.Max(0, Base - c));
        var above = left.Values.Sum(c => Math.Max(0, c - Most));
        var available = _leases - left.Values.Sum();
        for (var needed = Math.Max(lacking, above) - available; needed > 0; needed--)
        {
            // Of equals the last id gives: any rule will do, but everybody needs the same one.
            var most = left.OrderByDescending(m => m.Value).ThenByDescending(m => m.Key, StringComparer.Ordinal).First();
            if (most.Value <= Base)
            {
                break;
            }

            left[most.Key]--;
        }

        return _counts[member] - left[member];
    }
}

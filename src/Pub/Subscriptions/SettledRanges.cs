namespace Pub.Subscriptions;

/// <summary>
/// What of one shard is settled: everything below the floor, and ranges above it.
/// <code>
/// the floor never falls
/// ranges are sorted, apart from each other, not empty, and lie above the floor
/// what was settled stays settled
/// </code>
/// Not safe for several threads: the owner's lock protects it.
/// </summary>
internal sealed class SettledRanges
{
    private readonly List<PositionRange> _ranges = [];

    public SettledRanges(Position floor, IEnumerable<PositionRange>? settled = null)
    {
        Floor = floor;
        foreach (var range in settled ?? [])
        {
            Add(range);
        }
    }

    /// <summary>Everything below is settled.</summary>
    public Position Floor { get; private set; }

    /// <summary>Settled ranges above the floor, ascending.</summary>
    public IReadOnlyList<PositionRange> Ranges => _ranges;

    public bool Contains(Position position)
    {
        if (position < Floor)
        {
            return true;
        }

        var index = FirstEndingBehind(position);
        return index < _ranges.Count && _ranges[index].From <= position;
    }

    /// <summary>The position itself, or where the settled range that covers it ends.</summary>
    public Position SkipSettled(Position position)
    {
        if (position < Floor)
        {
            position = Floor;
        }

        var index = FirstEndingBehind(position);
        return index < _ranges.Count && _ranges[index].From <= position ? _ranges[index].To : position;
    }

    /// <summary>Settles a range; whatever of it is settled already stays so. False if nothing new was in it.</summary>
    public bool Add(PositionRange range)
    {
        var from = Position.Max(range.From, Floor);
        var to = range.To;
        if (from >= to)
        {
            return false;
        }

        if (from == Floor && (_ranges.Count == 0 || to < _ranges[0].From))
        {
            Floor = to;
            return true;
        }

        // Ranges that touch the new one melt into it.
        var first = FirstEndingAtOrBehind(from);
        var end = first;
        while (end < _ranges.Count && _ranges[end].From <= to)
        {
            if (_ranges[end].From <= from && to <= _ranges[end].To)
            {
                return false;
            }

            from = Position.Min(from, _ranges[end].From);
            to = Position.Max(to, _ranges[end].To);
            end++;
        }

        _ranges.RemoveRange(first, end - first);
        if (from <= Floor)
        {
            Floor = to;
        }
        else
        {
            _ranges.Insert(first, new PositionRange(from, to));
        }

        return true;
    }

    /// <summary>Settles everything below a position.</summary>
    public bool RaiseFloor(Position floor) => Add(new PositionRange(Floor, floor));

    private int FirstEndingBehind(Position position)
    {
        int low = 0, high = _ranges.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_ranges[middle].To > position)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low;
    }

    private int FirstEndingAtOrBehind(Position position)
    {
        var index = FirstEndingBehind(position);
        return index > 0 && _ranges[index - 1].To == position ? index - 1 : index;
    }
}

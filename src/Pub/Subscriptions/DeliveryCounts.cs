namespace Pub.Subscriptions;

/// <summary>How often unsettled messages of one lease were delivered before. The lease's lock protects it.</summary>
internal sealed class DeliveryCounts
{
    private readonly SortedDictionary<Position, int> _none = [];
    private readonly Dictionary<ShardId, SortedDictionary<Position, int>> _byShard = [];

    public DeliveryCounts(CursorDocument start)
    {
        foreach (var line in start.Shards)
        {
            foreach (var (position, count) in line.Counts)
            {
                Set(line.Shard, position, count);
            }
        }
    }

    public int this[ShardId shard, Position position] =>
        _byShard.Count == 0 ? 0 : _byShard.GetValueOrDefault(shard, _none).GetValueOrDefault(position);

    public void Set(ShardId shard, Position position, int count)
    {
        if (!_byShard.TryGetValue(shard, out var counts))
        {
            counts = [];
            _byShard.Add(shard, counts);
        }

        counts[position] = count;
    }

    public void Remove(ShardId shard, Position position)
    {
        if (_byShard.Count > 0 && _byShard.TryGetValue(shard, out var counts) && counts.Remove(position) && counts.Count == 0)
        {
            _byShard.Remove(shard);
        }
    }

    /// <summary>The counts to store: those of messages that are not settled.</summary>
    public IReadOnlyList<DeliveredCount> Of(ShardId shard, SettledRanges progress) =>
        !_byShard.TryGetValue(shard, out var counts)
            ? []
            : [.. counts.Where(line => !progress.Contains(line.Key)).Select(line => new DeliveredCount(line.Key, line.Value))];
}

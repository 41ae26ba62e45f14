using System.Collections.Concurrent;

namespace Pub.Topics;

/// <summary>
/// Slots that producers of this process have reserved and are filling. Its readers need not look into them: they are told when the entry is there. A
/// hint that saves reads; nothing rests on it.
/// </summary>
internal sealed class PendingAppends
{
    private readonly ConcurrentDictionary<(ShardId Shard, Offset Offset), bool> _pending = new();

    public void Begin(ShardId shard, Offset offset) => _pending.TryAdd((shard, offset), true);

    public void End(ShardId shard, Offset offset) => _pending.TryRemove((shard, offset), out _);

    public bool Contains(ShardId shard, Offset offset) => !_pending.IsEmpty && _pending.ContainsKey((shard, offset));
}

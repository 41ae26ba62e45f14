using Pub.Storage;
using Pub.Topics;

namespace Pub.Subscriptions;

/// <summary>
/// Which shards of a lease are held back because they were added later (docs/decisions/0013-adding-shards.md): until the shard that had their keys is
/// settled up to the fence, by this lease or by another, whose stored cursor says so.
/// <code>
/// what has passed stays passed
/// </code>
/// Not safe for several threads: the reader's gate protects it, except in <see cref="ReadAsync"/>.
/// </summary>
internal sealed class ShardFences(IDocumentStore store, Func<int, DocumentKey> cursorOf, int leaseCount)
{
    public static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(200);

    private readonly SortedDictionary<string, HeldBack> _held = new(StringComparer.Ordinal);
    private readonly HashSet<ShardId> _passed = [];

    public bool HasHeld => _held.Count > 0;

    public bool Holds(ShardId shard) => _held.Count > 0 && _held.ContainsKey(shard.ToString());

    /// <summary>Takes in a state of the topic.</summary>
    /// <param name="shard">The shard.</param>
    /// <param name="fence">Its fence.</param>
    /// <param name="start">Where the shard that had the keys stands if no cursor says otherwise.</param>
    public void Observe(ShardId shard, ShardFence fence, Position start)
    {
        if (!_passed.Contains(shard))
        {
            _held[shard.ToString()] = new HeldBack(shard, fence, start);
        }
    }

    /// <summary>Lets go what has passed. A floor is null if its shard belongs to another lease, or is not known.</summary>
    /// <returns>Whether any was let go.</returns>
    public bool Pass(Func<ShardId, Position?> floorOf)
    {
        var passed = false;
        foreach (var held in _held.Values.ToArray())
        {
            if (floorOf(held.OldShard) is { } floor && held.Fence.IsPassedBy(Position.Max(floor, held.Start)))
            {
                _held.Remove(held.Shard.ToString());
                _passed.Add(held.Shard);
                passed = true;
            }
        }

        return passed;
    }

    /// <summary>The shards that other leases must have settled.</summary>
    public IReadOnlyList<ShardId> OfOtherLeases(int lease) =>
        [.. _held.Values.Where(held => !held.Fence.IsPending && held.Fence.Shard % leaseCount != lease).Select(held => held.OldShard).Distinct()];

    /// <summary>The stored floors of other leases' shards; the lowest where there is none yet, so that the start counts.</summary>
    public async Task<IReadOnlyDictionary<ShardId, Position>> ReadAsync(IReadOnlyList<ShardId> shards, CancellationToken cancellationToken)
    {
        DocumentKey[] keys = [.. shards.Select(shard => cursorOf(shard.Number % leaseCount))];
        var stored = await store.GetManyAsync(keys, cancellationToken);
        var floors = new Dictionary<ShardId, Position>(shards.Count);
        for (var i = 0; i < keys.Length; i++)
        {
            floors[shards[i]] = CursorDocument.Read(keys[i], stored[i]).Find(shards[i])?.Floor ?? Position.Beginning;
        }

        return floors;
    }

    private sealed record HeldBack(ShardId Shard, ShardFence Fence, Position Start)
    {
        public ShardId OldShard => new(Shard.Topic, Fence.Shard);
    }
}

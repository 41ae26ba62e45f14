using Pub.Storage;

namespace Pub.Topology;

/// <summary>Positions per shard as they are stored: [offset, index].</summary>
internal static class StoredPositions
{
    public static IReadOnlyList<long[]> Write(IEnumerable<Position> positions) =>
        [.. positions.Select(position => new[] { position.Offset.Value, position.Index })];

    /// <exception cref="DocumentFormatException">A line is no position.</exception>
    public static IReadOnlyList<Position> Read(string owner, IReadOnlyList<long[]> stored)
    {
        var positions = new Position[stored.Count];
        for (var shard = 0; shard < positions.Length; shard++)
        {
            positions[shard] = stored[shard] is [> 0 and var offset, >= 0 and <= int.MaxValue and var index]
                ? new Position(new Offset(offset), (int)index)
                : throw new DocumentFormatException($"The start of {owner} in shard {shard} is no position.");
        }

        return positions;
    }

    /// <summary>Shard by shard the earlier; a shard that one of them does not have starts at its first entry.</summary>
    public static IReadOnlyList<Position> Earliest(IReadOnlyList<Position> left, IReadOnlyList<Position> right)
    {
        var positions = new Position[Math.Min(left.Count, right.Count)];
        for (var shard = 0; shard < positions.Length; shard++)
        {
            positions[shard] = Position.Min(left[shard], right[shard]);
        }

        return positions;
    }
}

using System.IO.Hashing;
using System.Numerics;
using System.Text;

namespace Pub.Topics;

/// <summary>
/// Which shard an ordering key belongs to: the low bits of the XXH64 hash (seed 0) of the key's UTF-8. Part of the stored format
/// (docs/documents.md): a change would break the order of every key, so tests pin it.
/// </summary>
/// <remarks>
/// One function for all topics, so that one key has one shard number in all topics of a size, and so one lease. With twice as many shards a key of
/// shard s is in s or s + S. A lone surrogate counts as U+FFFD.
/// </remarks>
internal static class ShardHash
{
    /// <summary>The shard of a key, from 0.</summary>
    /// <param name="key">The ordering key.</param>
    /// <param name="shardCount">How many shards the topic has; a power of two.</param>
    public static int ShardOf(string key, int shardCount)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (shardCount <= 0 || !BitOperations.IsPow2(shardCount))
        {
            throw new ArgumentOutOfRangeException(nameof(shardCount), shardCount, "A topic has a power of two of shards.");
        }

        return (int)(Hash(key) & (ulong)(shardCount - 1));
    }

    private static ulong Hash(string key)
    {
        const int stackBytes = 384;
        if (key.Length > stackBytes / 3)
        {
            return XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(key));
        }

        Span<byte> bytes = stackalloc byte[stackBytes];
        return XxHash64.HashToUInt64(bytes[..Encoding.UTF8.GetBytes(key, bytes)]);
    }
}

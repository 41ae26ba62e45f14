using Pub.Topics;

namespace Pub.Scheduling;

/// <summary>
/// Entries of one lease's open buckets, so that they need not be read again when their messages are due; those that come when it is full are not kept.
/// Owned by the lease's loop.
/// <code>
/// Bytes ≤ maxBytes; an entry goes when its last message is moved
/// </code>
/// </summary>
internal sealed class BucketCache(long maxBytes)
{
    private readonly Dictionary<(ShardId Shard, long Offset), Kept> _kept = [];
    private long _bytes;

    public void Add(ShardId shard, long offset, Entry entry, int messages)
    {
        if (messages > 0 && _bytes + entry.EncodedBytes <= maxBytes && _kept.TryAdd((shard, offset), new Kept(entry, messages)))
        {
            _bytes += entry.EncodedBytes;
        }
    }

    public Entry? Find(ShardId shard, long offset) => _kept.TryGetValue((shard, offset), out var kept) ? kept.Entry : null;

    /// <summary>One message of the entry is moved.</summary>
    public void Release(ShardId shard, long offset)
    {
        if (_kept.TryGetValue((shard, offset), out var kept) && --kept.Messages == 0)
        {
            _kept.Remove((shard, offset));
            _bytes -= kept.Entry.EncodedBytes;
        }
    }

    private sealed class Kept(Entry entry, int messages)
    {
        public Entry Entry { get; } = entry;

        public int Messages { get; set; } = messages;
    }
}

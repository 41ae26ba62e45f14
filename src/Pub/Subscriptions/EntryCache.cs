using Pub.Storage;
using Pub.Topics;

namespace Pub.Subscriptions;

/// <summary>
/// Entries that this process has just appended or read, shared by all its subscriptions: each is fetched and decoded once. Bounded by bytes, oldest out
/// first; one per process and store.
/// <code>
/// an entry in it is in its slot: slots never change once they are filled
/// bytes held ≤ maximum
/// </code>
/// </summary>
internal sealed class EntryCache(IDocumentStore store, long maxBytes)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(ShardId Shard, long Offset), CachedEntry> _entries = [];
    private readonly Queue<(ShardId Shard, long Offset)> _order = new();
    private long _bytes;

    /// <summary>Takes in an entry whose insert was confirmed.</summary>
    public void Add(ShardId shard, Offset offset, ReadOnlyMemory<byte> content) => Add(shard, offset, new CachedEntry(content));

    /// <summary>The entries in the given slots, null where there is none.</summary>
    /// <exception cref="FormatVersionException">A newer program wrote one of them.</exception>
    public async ValueTask<Entry?[]> ReadAsync(IReadOnlyList<(ShardId Shard, Offset Offset)> slots, CancellationToken cancellationToken)
    {
        var found = new Entry?[slots.Count];
        List<int>? missed = null;
        for (var i = 0; i < slots.Count; i++)
        {
            if (Find(slots[i].Shard, slots[i].Offset) is { } cached)
            {
                found[i] = cached.Decode();
            }
            else
            {
                (missed ??= []).Add(i);
            }
        }

        if (missed is not null)
        {
            await FetchAsync(slots, missed, found, cancellationToken);
        }

        return found;
    }

    private async ValueTask FetchAsync(
        IReadOnlyList<(ShardId Shard, Offset Offset)> slots, List<int> missed, Entry?[] found, CancellationToken cancellationToken)
    {
        var keys = new DocumentKey[missed.Count];
        for (var i = 0; i < keys.Length; i++)
        {
            keys[i] = DocumentKeys.Entry(slots[missed[i]].Shard, slots[missed[i]].Offset);
        }

        var documents = keys.Length == 1
            ? [await store.GetAsync(keys[0], cancellationToken)]
            : await store.GetManyAsync(keys, cancellationToken);
        for (var i = 0; i < keys.Length; i++)
        {
            if (documents[i].Exists)
            {
                var (shard, offset) = slots[missed[i]];
                found[missed[i]] = Add(shard, offset, new CachedEntry(documents[i].Content)).Decode();
            }
        }
    }

    private CachedEntry? Find(ShardId shard, Offset offset)
    {
        lock (_lock)
        {
            return _entries.GetValueOrDefault((shard, offset.Value));
        }
    }

    private CachedEntry Add(ShardId shard, Offset offset, CachedEntry entry)
    {
        if (entry.Bytes > maxBytes)
        {
            return entry;
        }

        var key = (shard, offset.Value);
        lock (_lock)
        {
            if (_entries.TryGetValue(key, out var there))
            {
                return there;
            }

            _entries.Add(key, entry);
            _order.Enqueue(key);
            _bytes += entry.Bytes;
            while (_bytes > maxBytes && _order.TryDequeue(out var oldest))
            {
                _entries.Remove(oldest, out var gone);
                _bytes -= gone!.Bytes;
            }

            return entry;
        }
    }

    /// <summary>Bytes, and what they mean once somebody has asked.</summary>
    private sealed class CachedEntry(ReadOnlyMemory<byte> content)
    {
        private readonly Lock _lock = new();
        private Entry? _entry;

        public int Bytes => content.Length;

        public Entry Decode()
        {
            lock (_lock)
            {
                return _entry ??= EntryCodec.Decode(content);
            }
        }
    }
}

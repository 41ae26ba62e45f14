using Pub.Storage;
using Pub.Topics;

namespace Pub.Scheduling;

/// <summary>
/// The documents of bucket logs: ordinary topic documents, in no catalog and in no cache of topics, since there is a new one every minute. Holds no state.
/// <code>
/// made → closed (life odd) → per shard: all moved, head raised, entries removed, removed = head → document removed
/// a log that is closed or gone never takes an append again
/// </code>
/// </summary>
internal sealed class BucketLogs(IDocumentStore store, PubRuntime runtime)
{
    private const int MaxAttempts = 10;
    private const int RemovedAtATime = 64;

    private static readonly TopicSettings Settings = new() { Shards = BucketName.Shards };

    private readonly CasLoop _loop = new(store, runtime);

    /// <summary>Makes a new log for a minute, durably.</summary>
    public async Task<BucketName> CreateAsync(BucketMinute minute)
    {
        for (var attempt = 1; ; attempt++)
        {
            var bucket = new BucketName(minute, runtime.NewId()[..12]);
            var document = TopicDocument.Create(bucket.Topic, 0, Settings, isTemporary: false, runtime.UnixMilliseconds);
            try
            {
                if ((await store.InsertAsync(Key(bucket), document.Write(), WriteOptions.Synced)).IsApplied)
                {
                    return bucket;
                }
            }
            catch (OutcomeUnknownException) when (attempt < MaxAttempts)
            {
                // The next one has another name; this one, if it comes to be, is in no list and is not used.
            }
        }
    }

    /// <summary>The log as stored; null if there is none.</summary>
    public async Task<TopicSnapshot?> ReadAsync(BucketName bucket, CancellationToken cancellationToken = default) =>
        Snapshot(bucket, await store.GetAsync(Key(bucket), cancellationToken));

    /// <summary>Waits until the log differs from what the caller knows.</summary>
    public async Task<TopicSnapshot?> WaitAsync(BucketName bucket, TopicSnapshot? known, TimeSpan timeout, CancellationToken cancellationToken) =>
        Snapshot(bucket, await store.WaitAsync(Key(bucket), known?.CasOf(0) ?? Cas.None, timeout, cancellationToken));

    /// <summary>The epoch of the log's place; another one means that a failover may have taken the tails back.</summary>
    public ValueTask<Epoch> GetEpochAsync(BucketName bucket, CancellationToken cancellationToken) => store.GetEpochAsync(Key(bucket), cancellationToken);

    /// <summary>Refuses every later append (executions.md 18). Closing what is closed changes nothing.</summary>
    public async Task<TopicSnapshot?> CloseAsync(BucketName bucket)
    {
        if (runtime.Breaks(BrokenRules.NoClosedBuckets))
        {
            return Snapshot(bucket, await store.GetAsync(Key(bucket)), TopicLives.Closed);
        }

        return await ChangeAsync(bucket, TopicLives.Closed);
    }

    /// <summary>Removes what a closed shard holds up to an offset, all of which is moved; entries to be kept for people stay.</summary>
    public async Task<TopicSnapshot?> FinishShardAsync(BucketName bucket, int shard, Offset last, IReadOnlySet<long> kept)
    {
        var end = last.Next;

        // First the head: a paused append that now comes into a slot finds, when it looks, that the slot does not count.
        await ChangeAsync(bucket, document => document.Heads[shard] >= end.Value ? null : document with { Heads = Raised(document.Heads, shard, end) });
        var prefix = DocumentKeys.EntryPrefix(new ShardId(bucket.Topic, shard));
        for (var from = 1L; from < end.Value; from += RemovedAtATime)
        {
            var to = Math.Min(from + RemovedAtATime, end.Value);
            var removals = new List<Task>();
            for (var offset = from; offset < to; offset++)
            {
                if (!kept.Contains(offset))
                {
                    removals.Add(store.RemoveAsync(DocumentKeys.Entry(prefix, new Offset(offset))).AsTask());
                }
            }

            await Task.WhenAll(removals);
        }

        return await ChangeAsync(bucket, document => document.Removed[shard] >= end.Value ? null : document with { Removed = Raised(document.Removed, shard, end) });
    }

    /// <summary>Removes the log's document; a store that fails leaves it, named by no list.</summary>
    public async Task RemoveAsync(BucketName bucket)
    {
        try
        {
            await store.RemoveAsync(Key(bucket), default, WriteOptions.Synced);
        }
        catch (PubException e) when (e.IsTransient)
        {
        }
    }

    /// <summary>Whether a shard takes nothing more and everything in it is moved and removed.</summary>
    public static bool IsFinished(ShardState state) => state.IsClosed && state.Removed > state.Last;

    public static bool IsFinished(TopicSnapshot log) => Enumerable.Range(0, log.ShardCount).All(shard => IsFinished(log[shard]));

    private static DocumentKey Key(BucketName bucket) => DocumentKeys.Topic(bucket.Topic, 0);

    private static TopicSnapshot? Snapshot(BucketName bucket, StoredDocument stored, Func<TopicDocument, TopicDocument?>? change = null)
    {
        var document = TopicDocument.Read(bucket.Topic, 0, stored);
        return document is null ? null : TopicSnapshot.From(bucket.Topic, [change?.Invoke(document) ?? document], [stored.Cas], default);
    }

    private static long[] Raised(long[] values, int shard, Offset to)
    {
        var raised = (long[])values.Clone();
        raised[shard] = to.Value;
        return raised;
    }

    private async Task<TopicSnapshot?> ChangeAsync(BucketName bucket, Func<TopicDocument, TopicDocument?> change)
    {
        // The loser reads again: increments of appenders and the other leases' holders change the same document.
        var result = await _loop.UpdateAsync(
            Key(bucket), TopicDocument.Format, document => document is null ? null : change(document), WriteOptions.Synced);
        return result.State is { } state ? TopicSnapshot.From(bucket.Topic, [state], [result.Cas], default) : null;
    }
}

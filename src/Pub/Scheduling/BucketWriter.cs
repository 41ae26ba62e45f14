using Pub.Topics;

namespace Pub.Scheduling;

/// <summary>
/// Appends to the bucket of one minute: finds its log, and another when that refuses. Per shard one append in flight; what comes meanwhile is the next
/// entry. Everything mutable is under <see cref="_lock"/>.
/// <code>
/// a shard's queue is not empty ⇒ its loop runs
/// </code>
/// </summary>
internal sealed class BucketWriter(BucketMinute minute, ScheduleDirectory directory, ShardLog log, PubRuntime runtime, ScheduleTimings timings, string writer)
{
    private const int MaxRefusals = 20;

    private readonly Lock _lock = new();
    private readonly Queue<Pending>[] _queues = [.. Enumerable.Range(0, BucketName.Shards).Select(_ => new Queue<Pending>())];
    private readonly bool[] _isRunning = new bool[BucketName.Shards];
    private readonly LastConfirmed[] _lastConfirmed = new LastConfirmed[BucketName.Shards];
    private int _next = runtime.Next(BucketName.Shards);
    private Task<BucketName>? _located;

    /// <summary>Appends a message, durably. Messages with one key stand in the order of the calls.</summary>
    /// <exception cref="StoreUnavailableException">It is certainly not stored.</exception>
    /// <exception cref="OutcomeUnknownException">It may be stored.</exception>
    public Task AppendAsync(EncodedMessage message) => AppendAsync([message]);

    /// <summary>Appends several, in as few entries as they fit in.</summary>
    /// <inheritdoc cref="AppendAsync(EncodedMessage)" path="/exception"/>
    public Task AppendAsync(IReadOnlyList<EncodedMessage> messages)
    {
        var pending = messages.Select(message => new Pending(message)).ToList();
        var begun = new List<int>();
        lock (_lock)
        {
            for (var i = 0; i < pending.Count; i++)
            {
                // One key, one shard, one mover: what is due at once keeps its order.
                var shard = pending[i].Message.Key is { } key
                    ? ShardHash.ShardOf(key, BucketName.Shards)
                    : (_next + (i / EntryWriter.MaxMessages)) % BucketName.Shards;
                _queues[shard].Enqueue(pending[i]);
                if (!_isRunning[shard])
                {
                    _isRunning[shard] = true;
                    begun.Add(shard);
                }
            }
        }

        begun.ForEach(shard => _ = runtime.Start(() => RunAsync(shard)));
        return pending is [var only] ? only.Done.Task : Task.WhenAll(pending.Select(message => message.Done.Task));
    }

    private async Task RunAsync(int shard)
    {
        while (TakeEntry(shard) is { } taken)
        {
            var (entry, messages) = taken;
            try
            {
                await AppendAsync(shard, entry);
                messages.ForEach(message => message.Done.TrySetResult());
            }
            catch (Exception e)
            {
                // The callers' business; the next entry is tried on its own.
                messages.ForEach(message => message.Done.TrySetException(e));
            }
        }
    }

    private (EntryWriter Entry, List<Pending> Messages)? TakeEntry(int shard)
    {
        lock (_lock)
        {
            var queue = _queues[shard];
            if (queue.Count == 0)
            {
                _isRunning[shard] = false;
                return null;
            }

            if (_next == shard)
            {
                _next = (shard + 1) % BucketName.Shards;
            }

            var entry = new EntryWriter();
            var messages = new List<Pending>();
            while (queue.TryPeek(out var pending) && entry.TryAdd(pending.Message))
            {
                messages.Add(queue.Dequeue());
            }

            return (entry, messages);
        }
    }

    private async Task AppendAsync(int shard, EntryWriter entry)
    {
        var appendId = runtime.NewId();
        var content = entry.Finish(writer, appendId, runtime.UnixMilliseconds);
        for (var refusals = 0; refusals < MaxRefusals; refusals++)
        {
            var bucket = await LocateAsync();
            var last = _lastConfirmed[shard];
            var result = await log.AppendAsync(
                new ShardId(bucket.Topic, shard), life: 0, last.Bucket == bucket ? last.Offset : Offset.None, appendId, content, timings.AppendTimeout);
            if (result.Status == AppendStatus.Done)
            {
                _lastConfirmed[shard] = new LastConfirmed(bucket, result.Offset);
                return;
            }

            Refused(bucket);
        }

        throw new StoreUnavailableException($"{MaxRefusals} logs for messages due at {minute.Start:u} were closed before an entry could be appended; nothing was scheduled.");
    }

    /// <summary>Knowing a log that is closed or gone does no harm: it refuses. So the directory costs nothing per message.</summary>
    private Task<BucketName> LocateAsync()
    {
        lock (_lock)
        {
            return _located is { IsFaulted: false, IsCanceled: false } ? _located : _located = LocateAsync(null);
        }
    }

    /// <summary>The first shard that is refused looks for another log; the others use that one.</summary>
    private void Refused(BucketName bucket)
    {
        lock (_lock)
        {
            if (_located is { IsCompletedSuccessfully: true } && _located.Result == bucket)
            {
                _located = LocateAsync(bucket);
            }
        }
    }

    private Task<BucketName> LocateAsync(BucketName? refused)
    {
        var located = Completion.Source<BucketName>();
        _ = runtime.Start(async () =>
        {
            try
            {
                located.TrySetResult(await FindOrAddAsync(refused));
            }
            catch (Exception e)
            {
                located.TrySetException(e);
            }
        });
        return located.Task;
    }

    private async Task<BucketName> FindOrAddAsync(BucketName? refused)
    {
        var deadline = new Deadline(runtime.Time, timings.AppendTimeout);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await directory.FindOrAddAsync(minute, refused);
            }
            catch (PubException e) when (e.IsTransient)
            {
                // A line of unknown outcome is found or written again; nothing is scheduled by it.
                if (deadline.IsPast)
                {
                    throw new StoreUnavailableException($"The log for messages due at {minute.Start:u} could not be found or made within {deadline.Limit}; nothing was scheduled.", e);
                }
            }

            await Retry.PauseAsync(runtime, attempt);
        }
    }

    /// <summary>Touched by the shard's own loop only.</summary>
    private readonly record struct LastConfirmed(BucketName Bucket, Offset Offset);

    private sealed class Pending(EncodedMessage message)
    {
        public EncodedMessage Message { get; } = message;

        public TaskCompletionSource Done { get; } = Completion.Source();
    }
}

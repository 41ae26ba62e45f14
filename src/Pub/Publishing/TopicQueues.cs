using Pub.Topics;

namespace Pub.Publishing;

/// <summary>
/// What waits for the shards of one topic, and which shard takes what. A plain structure, used under the lock of <see cref="TopicPublisher"/>.
/// <code>
/// a shard is busy ⇔ one runner has it
/// keyless appends ≤ max(KeylessAppends, waiting / KeylessEntryMessages), ≤ shards; at most one of them has not taken its messages yet
/// a keyless append begins beside another only when half as much waits as that one took; none is under way ⇒ what waits has a runner
/// </code>
/// </summary>
internal sealed class TopicQueues(ProducerOptions options, int maxDocumentBytes, bool isUnbounded)
{
    private readonly Queue<PendingPublish> _keyless = new();
    private readonly int _maxBytes = Math.Min(options.MaxEntryBytes, maxDocumentBytes) - EntryCodec.EnvelopeBytes - EntryCodec.FooterBytes;
    private ShardQueue[] _shards = [];
    private ShardQueue? _forming;
    private int _keylessWaiting;
    private int _keylessAppends;
    private int _lastTaken;
    private int _next;

    private int KeylessLimit => Math.Min(_shards.Length, Math.Max(options.KeylessAppends, _keylessWaiting / options.KeylessEntryMessages));

    /// <summary>Takes the topic's shards as they are now. Nothing may wait or be under way.</summary>
    public void Open(TopicSnapshot snapshot, int firstShard, Func<ShardQueue, Task> run)
    {
        var before = _shards;
        _shards = new ShardQueue[snapshot.ShardCount];
        for (var i = 0; i < _shards.Length; i++)
        {
            _shards[i] = new ShardQueue(new ShardId(snapshot.Name, i), snapshot[i].Life, run)
            {
                LastConfirmed = i < before.Length ? before[i].LastConfirmed : Offset.None,
            };
        }

        _forming = null;
        _keylessAppends = 0;
        _next = firstShard % _shards.Length;
    }

    /// <summary>Puts a message where it belongs. False: its call names a shard that the topic does not have.</summary>
    public bool TryRoute(PendingPublish pending, out ShardQueue? toStart)
    {
        toStart = null;
        if (pending.IsKeyless)
        {
            _keyless.Enqueue(pending);
            _keylessWaiting++;
            pending.IsRouted = true;
            toStart = StartKeyless();
            return true;
        }

        var number = pending.Options.Shard ?? ShardHash.ShardOf(pending.Message.Key!, _shards.Length);
        if (number >= _shards.Length)
        {
            return false;
        }

        var shard = _shards[number];
        shard.Waiting.Enqueue(pending);
        pending.IsRouted = true;
        toStart = shard.IsBusy ? null : Start(shard);
        return true;
    }

    /// <summary>Fills a batch for a shard: what must go there, then what may. Answers another shard to start when still more may.</summary>
    public ShardQueue? Take(ShardQueue shard, AppendBatch batch)
    {
        if (_forming == shard)
        {
            _forming = null;
        }

        Take(shard.Waiting, batch, options.MaxEntryMessages);
        if (_keylessWaiting > 0 && _keylessAppends < KeylessLimit)
        {
            var most = isUnbounded ? int.MaxValue : options.KeylessEntryMessages;
            var taken = Take(_keyless, batch, Math.Min(most, options.MaxEntryMessages - batch.Messages.Count));
            _keylessWaiting -= taken;
            batch.HasKeyless = taken > 0;
            if (taken > 0)
            {
                _keylessAppends++;
                _lastTaken = taken;
            }
        }

        return StartKeyless();
    }

    /// <summary>After an append: what its runner does next. False: nothing, its shard is free.</summary>
    public bool TryContinue(ref ShardQueue shard)
    {
        if (HasWaiting(shard.Waiting))
        {
            return true;
        }

        shard.IsBusy = false;
        if (StartKeyless() is not { } next)
        {
            return false;
        }

        shard = next;
        return true;
    }

    public void Ended(AppendBatch batch)
    {
        if (batch.HasKeyless)
        {
            _keylessAppends--;
        }
    }

    /// <summary>A message was cancelled; where it waits it stays until it is passed over.</summary>
    public void OnCancelled(PendingPublish pending)
    {
        if (pending.IsRouted && pending.IsKeyless)
        {
            _keylessWaiting--;
        }
    }

    /// <summary>Takes out everything that waits and satisfies the condition.</summary>
    public void RemoveAll(List<PendingPublish> removed, Predicate<PendingPublish> condition)
    {
        foreach (var shard in _shards)
        {
            Remove(shard.Waiting, removed, condition);
        }

        _keylessWaiting -= Remove(_keyless, removed, condition);
    }

    /// <summary>Takes out what goes to one shard, or to any, and satisfies the condition.</summary>
    public void RemoveFor(ShardQueue shard, List<PendingPublish> removed, Predicate<PendingPublish> condition)
    {
        Remove(shard.Waiting, removed, condition);
        _keylessWaiting -= Remove(_keyless, removed, condition);
    }

    private static ShardQueue Start(ShardQueue shard)
    {
        shard.IsBusy = true;
        return shard;
    }

    private static bool HasWaiting(Queue<PendingPublish> queue)
    {
        while (queue.TryPeek(out var first) && !first.IsWaiting)
        {
            queue.Dequeue();
        }

        return queue.Count > 0;
    }

    private static int Remove(Queue<PendingPublish> queue, List<PendingPublish> removed, Predicate<PendingPublish> condition)
    {
        var count = 0;
        for (var left = queue.Count; left > 0; left--)
        {
            var pending = queue.Dequeue();
            if (!condition(pending))
            {
                queue.Enqueue(pending);
            }
            else if (pending.IsWaiting)
            {
                pending.IsRouted = false;
                removed.Add(pending);
                count++;
            }
        }

        return count;
    }

    private int Take(Queue<PendingPublish> queue, AppendBatch batch, int most)
    {
        var taken = 0;
        while (taken < most && queue.TryPeek(out var pending))
        {
            var bytes = pending.Bytes;
            if (batch.Messages.Count > 0 && batch.Bytes + bytes > _maxBytes)
            {
                break;
            }

            queue.Dequeue();
            if (pending.TryClaim())
            {
                pending.IsRouted = false;
                batch.Messages.Add(pending);
                batch.Bytes += bytes;
                taken++;
            }
        }

        return taken;
    }

    /// <summary>The next free shard in turn, if messages without key wait that no append under way will take.</summary>
    private ShardQueue? StartKeyless()
    {
        if (_keylessWaiting <= 0 || _forming is not null || _keylessAppends >= KeylessLimit)
        {
            return null;
        }

        // Beside an append that is under way only another of comparable size: else a few stragglers become an entry of their own, over and over.
        if (_keylessAppends > 0 && _keylessWaiting * 2 < _lastTaken)
        {
            return null;
        }

        for (var i = 0; i < _shards.Length; i++)
        {
            var shard = _shards[_next];
            _next = (_next + 1) % _shards.Length;
            if (!shard.IsBusy)
            {
                _forming = shard;
                return Start(shard);
            }
        }

        // All shards are busy: the first runner to end takes these messages along.
        return null;
    }
}

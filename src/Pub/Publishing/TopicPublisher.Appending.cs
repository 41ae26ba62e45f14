using Pub.Topics;

namespace Pub.Publishing;

/// <summary>The appending side: one runner per busy shard.</summary>
internal sealed partial class TopicPublisher
{
    private const int MostTurns = 8;

    /// <summary>Appends to a shard while there is something to append; then ends, or goes on with another shard.</summary>
    private async Task RunAsync(ShardQueue shard)
    {
        AppendBatch? batch = null;
        do
        {
            await BehindTheConfirmedAsync();
            ShardQueue? toStart = null;
            lock (_lock)
            {
                batch ??= _batches.TryPop(out var used) ? used : new AppendBatch(setup.Options, setup.MaxDocumentBytes);
                if (_phase == Phase.Open)
                {
                    batch.TakenAt = _sequence;
                    toStart = _queues.Take(shard, batch);
                    _runners += toStart is null ? 0 : 1;
                }
            }

            StartRunner(toStart);
            if (batch.Messages.Count > 0)
            {
                await AppendAsync(shard, batch);
            }
        }
        while (TryContinue(ref shard, batch));
    }

    private async Task AppendAsync(ShardQueue shard, AppendBatch batch)
    {
        try
        {
            var appendId = setup.Runtime.NewId();
            ReadOnlyMemory<byte> entry = batch.Encode(setup.Writer, appendId, setup.Runtime.UnixMilliseconds);
            var result = await setup.Log.AppendAsync(shard.Shard, shard.Life, shard.LastConfirmed, appendId, entry, setup.Options.PublishTimeout);
            if (result.Status != AppendStatus.Done)
            {
                Return(batch);
                return;
            }

            shard.LastConfirmed = result.Offset;
            setup.Watch.Appended(shard.Shard, result.Offset, entry);
            if (_silence.IsOver)
            {
                await setup.Watch.RingAsync(topic);
            }

            _silence.Appended();
            Confirm(shard, result.Offset, batch.Messages);
        }
        catch (Exception e)
        {
            Fail(shard, batch, e as PubException ?? new OutcomeUnknownException($"An append to {shard.Shard} ended unexpectedly.", e));
        }
    }

    private void Confirm(ShardQueue shard, Offset offset, List<PendingPublish> messages)
    {
        Interlocked.Increment(ref _confirmsBegun);
        for (var i = 0; i < messages.Count; i++)
        {
            messages[i].Complete(PublishResult.At(new MessagePlace(shard.Shard, new Position(offset, i))));
        }

        Interlocked.Increment(ref _confirmsEnded);
    }

    /// <summary>
    /// Those who were just confirmed go on first: the next messages of those who await each publish then fill one entry, instead of one entry each. Somebody
    /// who is still confirming queues more of them behind this runner, so it goes to the back of the queue again; a few times at most.
    /// </summary>
    private async ValueTask BehindTheConfirmedAsync()
    {
        for (var turn = 0; turn < MostTurns; turn++)
        {
            var begun = Volatile.Read(ref _confirmsBegun);
            var isQuiet = Volatile.Read(ref _confirmsEnded) == begun;
            await Task.Yield();
            if (isQuiet && Volatile.Read(ref _confirmsBegun) == begun)
            {
                return;
            }
        }
    }

    /// <summary>What waited during an append that failed because the store was away has waited as long, and fails with it.</summary>
    private void Fail(ShardQueue shard, AppendBatch batch, PubException failure)
    {
        foreach (var pending in batch.Messages)
        {
            pending.Fail(failure);
        }

        if (failure is StoreUnavailableException or OutcomeUnknownException)
        {
            var removed = new List<PendingPublish>();
            lock (_lock)
            {
                _queues.RemoveFor(shard, removed, pending => pending.Sequence <= batch.TakenAt);
            }

            Fail(removed, new StoreUnavailableException($"The topic {topic} took no message within {setup.Options.PublishTimeout}; this one was not tried.", failure));
        }
    }

    private void Fail(List<PendingPublish> messages, PubException failure)
    {
        foreach (var pending in messages)
        {
            if (pending.TryClaim())
            {
                lock (_lock)
                {
                    Release(1, pending.Bytes);
                }

                pending.Fail(failure);
            }
        }
    }

    private bool TryContinue(ref ShardQueue shard, AppendBatch batch)
    {
        bool goesOn, mustOpen = false, mustAdmit;
        lock (_lock)
        {
            Release(batch.Messages.Count, batch.Bytes);
            _queues.Ended(batch);
            batch.Clear();
            goesOn = _phase == Phase.Open && _queues.TryContinue(ref shard);
            if (!goesOn)
            {
                shard.IsBusy = false;
                _batches.Push(batch);
                if (--_runners == 0 && _phase == Phase.Draining)
                {
                    _phase = Phase.Opening;
                    mustOpen = true;
                }
            }

            mustAdmit = MayAdmit();
        }

        StartOpening(mustOpen);
        if (mustAdmit)
        {
            Admit();
        }

        return goesOn;
    }
}

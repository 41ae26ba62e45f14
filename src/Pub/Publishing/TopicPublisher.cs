using Pub.Topics;

namespace Pub.Publishing;

/// <summary>
/// One topic of one producer: gathers messages into entries and appends them, one append at a time per shard.
/// <code>
/// Unknown → Opening → Open → Draining → Opening …: messages are routed only while Open; Opening begins only when no runner is left
/// messages of one key are in one queue, or in none while not Open; a new map of shards is taken only when nothing is under way, so calls keep their order
/// pending bytes ≤ MaxPendingBytes + one message; what comes when they are reached is held, unencoded, in the order of calls
/// </code>
/// One lock guards all of it, and no await, store call or caller's code runs under it.
/// </summary>
internal sealed class TopicPublisher(TopicName topic, ProducerSetup setup, Action<TopicPublisher> retired)
{
    private const int MostTurns = 8;

    private readonly Lock _lock = new();
    private readonly TopicQueues _queues = new(setup.Options, setup.MaxDocumentBytes, setup.Runtime.Breaks(BrokenRules.UnboundedKeylessEntries));
    private readonly TopicResolver _resolver = new(topic, setup);
    private readonly AppendSilence _silence = new(setup.Runtime);
    private readonly Stack<AppendBatch> _batches = new();
    private readonly Queue<PendingPublish> _held = new();
    private List<PendingPublish> _unrouted = [];
    private Phase _phase;
    private int _runners;
    private long _sequence;
    private long _pendingBytes;
    private int _open;
    private int _confirmsBegun;
    private int _confirmsEnded;
    private bool _isAdmitting;
    private bool _isRetired;
    private TaskCompletionSource? _flushed;

    private enum Phase
    {
        Unknown,
        Opening,
        Open,
        Draining,
    }

    public TopicName Topic => topic;

    /// <summary>Whether a message that comes now would be held: then its encoding can wait too.</summary>
    public bool IsFull => Volatile.Read(ref _pendingBytes) >= setup.Options.MaxPendingBytes;

    /// <summary>Takes a message to publish. False: this object is retired; ask the producer for another.</summary>
    public bool TryEnqueue(PendingPublish pending)
    {
        ShardQueue? toStart = null;
        bool mustOpen = false, mustAdmit = false;
        lock (_lock)
        {
            if (_isRetired)
            {
                return false;
            }

            pending.Topic = this;
            if (!pending.IsWaiting)
            {
                return true;
            }

            _open++;
            pending.Sequence = ++_sequence;
            if (pending.Unencoded is not null || _isAdmitting || _held.Count > 0 || IsFull)
            {
                _held.Enqueue(pending);
                mustAdmit = MayAdmit();
            }
            else
            {
                toStart = Accept(pending, ref mustOpen);
            }
        }

        StartRunner(toStart);
        StartOpening(mustOpen);
        if (mustAdmit)
        {
            Admit();
        }

        return true;
    }

    /// <summary>Completes when everything taken so far has ended; takes nothing from now on.</summary>
    public Task StopAsync()
    {
        lock (_lock)
        {
            _isRetired = true;
            return _open == 0 ? Task.CompletedTask : (_flushed ??= Completion.Source()).Task;
        }
    }

    /// <summary>After a message was taken out by its caller's token.</summary>
    public void OnCancelled(PendingPublish pending)
    {
        bool mustAdmit;
        lock (_lock)
        {
            if (pending.Sequence == 0)
            {
                return;
            }

            _queues.OnCancelled(pending);
            Release(1, pending.IsAccepted ? pending.Bytes : 0);
            mustAdmit = MayAdmit();
        }

        if (mustAdmit)
        {
            Admit();
        }
    }

    private bool MayAdmit() => !_isAdmitting && _held.Count > 0 && !IsFull && (_isAdmitting = true);

    /// <summary>Encodes and accepts what was held, one by one, so that calls keep their order.</summary>
    private void Admit()
    {
        while (true)
        {
            PendingPublish pending;
            lock (_lock)
            {
                do
                {
                    if (_held.Count == 0 || IsFull)
                    {
                        _isAdmitting = false;
                        return;
                    }

                    pending = _held.Dequeue();
                }
                while (!pending.IsWaiting);
            }

            var failure = setup.TryEncode(pending);
            ShardQueue? toStart = null;
            var mustOpen = false;
            lock (_lock)
            {
                if (failure is null)
                {
                    toStart = pending.IsWaiting ? Accept(pending, ref mustOpen) : null;
                }
                else if (pending.TryClaim())
                {
                    Release(1, 0);
                    pending.Fail(failure);
                }
            }

            StartRunner(toStart);
            StartOpening(mustOpen);
        }
    }

    /// <summary>Under the lock: counts the message, and puts it where it belongs if that is known.</summary>
    private ShardQueue? Accept(PendingPublish pending, ref bool mustOpen)
    {
        pending.IsAccepted = true;
        _pendingBytes += pending.Bytes;
        if (_phase == Phase.Open)
        {
            return Route(pending);
        }

        _unrouted.Add(pending);
        if (_phase == Phase.Unknown)
        {
            _phase = Phase.Opening;
            mustOpen = true;
        }

        return null;
    }

    /// <summary>Under the lock: queues the message; answers a shard that needs a runner.</summary>
    private ShardQueue? Route(PendingPublish pending)
    {
        if (!_queues.TryRoute(pending, out var toStart))
        {
            if (pending.TryClaim())
            {
                Release(1, pending.Bytes);
                pending.Fail(new ArgumentOutOfRangeException(nameof(PublishOptions.Shard), pending.Options.Shard, $"The topic {topic} has no such shard."));
            }

            return null;
        }

        _runners += toStart is null ? 0 : 1;
        return toStart;
    }

    private void StartRunner(ShardQueue? shard)
    {
        if (shard is not null)
        {
            _ = setup.Runtime.Start(shard.Run);
        }
    }

    private void StartOpening(bool mustOpen)
    {
        if (mustOpen)
        {
            _ = setup.Runtime.Start(OpenAsync);
        }
    }

    /// <summary>Under the lock: messages that have ended.</summary>
    private void Release(int count, long bytes)
    {
        _pendingBytes -= bytes;
        _open -= count;
        if (_open == 0)
        {
            _flushed?.TrySetResult();
        }
    }

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

    /// <summary>The log has changed: these messages wait again, for a new look at the topic.</summary>
    private void Return(AppendBatch batch)
    {
        lock (_lock)
        {
            _phase = Phase.Draining;
            foreach (var pending in batch.Messages)
            {
                pending.Unclaim();
                _unrouted.Add(pending);
            }

            // They have not ended.
            batch.Messages.Clear();
            batch.Bytes = 0;
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

    /// <summary>Looks at the topic until what waits is routed or has ended.</summary>
    private async Task OpenAsync()
    {
        while (true)
        {
            long seen;
            bool mayCreate;
            lock (_lock)
            {
                seen = _sequence;
                mayCreate = _unrouted.Exists(pending => pending.IsWaiting && !pending.Options.OnlyIfExists);
            }

            var resolved = await _resolver.ResolveAsync(mayCreate);
            if (resolved.Snapshot is { } snapshot)
            {
                Open(snapshot);
                return;
            }

            if (!TryGiveUp(resolved, seen))
            {
                return;
            }
        }
    }

    private void Open(TopicSnapshot snapshot)
    {
        var toStart = new List<ShardQueue>();
        lock (_lock)
        {
            _queues.RemoveAll(_unrouted, _ => true);
            _queues.Open(snapshot, setup.Runtime.Next(snapshot.ShardCount), RunAsync);
            _phase = Phase.Open;
            var unrouted = _unrouted;
            _unrouted = [];
            foreach (var pending in unrouted.Where(pending => pending.IsWaiting).OrderBy(pending => pending.Sequence))
            {
                if (Route(pending) is { } shard)
                {
                    toStart.Add(shard);
                }
            }
        }

        toStart.ForEach(StartRunner);
    }

    /// <summary>There is no topic, or it takes nothing: ends what had come by then. True: more has come since, look again.</summary>
    private bool TryGiveUp(TopicResolution resolved, long seen)
    {
        var ended = new List<PendingPublish>();
        bool goesOn, retires, mustAdmit;
        lock (_lock)
        {
            _queues.RemoveAll(_unrouted, _ => true);
            ended.AddRange(_unrouted.Where(pending => pending.Sequence <= seen && (resolved.Failure is not null || resolved.IsTemporary || pending.Options.OnlyIfExists) && pending.TryClaim()));
            _unrouted.RemoveAll(pending => !pending.IsWaiting);
            Release(ended.Count, ended.Sum(pending => (long)pending.Bytes));
            goesOn = _unrouted.Count > 0;
            _phase = goesOn ? Phase.Opening : Phase.Unknown;
            retires = !goesOn && _open == 0 && !_isRetired && (_isRetired = true);
            mustAdmit = MayAdmit();
        }

        foreach (var pending in ended)
        {
            if (resolved.Failure is null)
            {
                setup.CountDropped();
                pending.Complete(PublishResult.Dropped);
            }
            else
            {
                pending.Fail(resolved.Failure);
            }
        }

        if (retires)
        {
            retired(this);
        }

        if (mustAdmit)
        {
            Admit();
        }

        return goesOn;
    }
}

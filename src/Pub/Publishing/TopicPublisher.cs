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
internal sealed partial class TopicPublisher(TopicName topic, ProducerSetup setup, Action<TopicPublisher> retired)
{
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
}

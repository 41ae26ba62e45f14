using Pub.Topics;

namespace Pub.Publishing;

/// <summary>Finding out what the topic is: at first, and again whenever its log has changed.</summary>
internal sealed partial class TopicPublisher
{
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
}

using Microsoft.Extensions.Logging;
using Pub.Storage;

namespace Pub.Topics;

/// <summary>One reader of a topic.</summary>
internal sealed class TopicWatcher(Action<TopicSnapshot> changed, EntryAppended? appended)
{
    public Action<TopicSnapshot> Changed { get; } = changed;

    public EntryAppended? Appended { get; } = appended;

    /// <summary>The state it was told of last. Written by who delivers.</summary>
    public TopicSnapshot? Told { get; set; }
}

/// <summary>
/// One topic that this process watches: what its documents hold, put together, and who is told.
/// <code>
/// one delivery at a time; each delivers the newest state to everyone who was not told of it
/// </code>
/// One lock guards the fields; watchers are called outside of it.
/// </summary>
internal sealed class WatchedTopic(
    TopicName name, TopicDirectory directory, Func<WatchedTopic, int, CancellationToken, Task> startLoop, ILogger logger) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _loops = [];
    private readonly List<PartState> _parts = [];
    private TopicWatcher[] _watchers = [];
    private TopicSnapshot? _current;
    private bool _isDelivering;
    private bool _mustDeliverAgain;
    private bool _isDisposed;

    public TopicName Name => name;

    public void Add(TopicWatcher watcher)
    {
        lock (_lock)
        {
            _watchers = [.. _watchers, watcher];
        }
    }

    /// <summary>True: that was the last one.</summary>
    public bool Remove(TopicWatcher watcher)
    {
        lock (_lock)
        {
            _watchers = [.. _watchers.Where(other => other != watcher)];
            return _watchers.Length == 0;
        }
    }

    public void Start() => StartLoops(1);

    /// <summary>May be called again: by the last watcher that goes, and by the watch that ends meanwhile.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] loops;
        bool isFirst;
        lock (_lock)
        {
            (isFirst, _isDisposed) = (!_isDisposed, true);
            loops = [.. _loops];
        }

        if (isFirst)
        {
            _stop.Cancel();
        }

        await Task.WhenAll(loops);
        if (isFirst)
        {
            _stop.Dispose();
        }
    }

    /// <summary>What a loop has read. Null: there is no document.</summary>
    public void Update(int part, TopicDocument? document, Cas cas, Epoch epoch)
    {
        int wanted;
        lock (_lock)
        {
            _parts[part] = new PartState(document, cas, epoch);
            var first = _parts[0].Document;
            wanted = first is null ? 1 : TopicDocument.PartCount(first.Shards);
            var parts = _parts.Take(wanted).ToArray();
            var isWhole = parts.Length == wanted && Array.TrueForAll(parts, state => state.Document is not null);
            _current = isWhole
                ? TopicSnapshot.From(name, [.. parts.Select(state => state.Document!)], [.. parts.Select(state => state.Cas)], Together(parts))
                : null;
            if (_current is not null)
            {
                directory.Remember(_current);
            }
            else if (first is null)
            {
                directory.Forget(name);
            }
        }

        StartLoops(wanted);
        Deliver();
    }

    /// <summary>Tells everyone of the newest state. Who comes while somebody delivers leaves it to that one.</summary>
    public void Deliver()
    {
        while (true)
        {
            TopicSnapshot current;
            TopicWatcher[] watchers;
            lock (_lock)
            {
                if (_isDelivering || _current is null)
                {
                    _mustDeliverAgain = _isDelivering;
                    return;
                }

                _isDelivering = true;
                _mustDeliverAgain = false;
                current = _current;
                watchers = _watchers;
            }

            foreach (var watcher in watchers)
            {
                Tell(watcher, current);
            }

            lock (_lock)
            {
                _isDelivering = false;
                if (!_mustDeliverAgain)
                {
                    return;
                }
            }
        }
    }

    public void Appended(ShardId shard, Offset offset, ReadOnlyMemory<byte> encodedEntry)
    {
        foreach (var watcher in Volatile.Read(ref _watchers))
        {
            try
            {
                watcher.Appended?.Invoke(shard, offset, encodedEntry);
            }
            catch (Exception e)
            {
                TopicLog.WatcherThrew(logger, e, name);
            }
        }
    }

    private static Epoch Together(PartState[] parts)
    {
        var together = parts[0].Epoch;
        foreach (var part in parts.AsSpan(1))
        {
            together = new Epoch((together.High * 31) + part.Epoch.High, (together.Low * 31) + part.Epoch.Low);
        }

        return together;
    }

    private void Tell(TopicWatcher watcher, TopicSnapshot current)
    {
        if (ReferenceEquals(watcher.Told, current))
        {
            return;
        }

        watcher.Told = current;
        try
        {
            watcher.Changed(current);
        }
        catch (Exception e)
        {
            TopicLog.WatcherThrew(logger, e, name);
        }
    }

    private void StartLoops(int count)
    {
        lock (_lock)
        {
            while (_parts.Count < count && !_stop.IsCancellationRequested)
            {
                _parts.Add(default);
                _loops.Add(startLoop(this, _parts.Count - 1, _stop.Token));
            }
        }
    }

    private readonly record struct PartState(TopicDocument? Document, Cas Cas, Epoch Epoch);
}

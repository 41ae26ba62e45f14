using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Pub.Storage;

namespace Pub.Topics;

/// <summary>An entry that a producer of this process has just confirmed: its shard, its offset, and the bytes as stored, which nobody may change.</summary>
internal delegate void EntryAppended(ShardId shard, Offset offset, ReadOnlyMemory<byte> encodedEntry);

/// <summary>
/// Tells this process's readers of every change of the topics they read. One per process and store.
/// <code>
/// a topic is watched ⇔ it has a watcher; then each of its documents has one loop, shared by all watchers
/// </code>
/// One lock guards which topics are watched; no caller's code runs under it.
/// </summary>
internal sealed class TopicWatch : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<TopicName, WatchedTopic> _topics = new();
    private readonly IDocumentStore _store;
    private readonly PubRuntime _runtime;
    private readonly TopicDirectory _directory;
    private readonly ILogger _logger;
    private readonly TopicBells _bells;
    private readonly DocumentEpochs _epochs;
    private bool _isDisposed;

    public TopicWatch(IDocumentStore store, PubRuntime runtime, TopicDirectory directory, ILogger<TopicWatch> logger)
    {
        _store = store;
        _runtime = runtime;
        _directory = directory;
        _logger = logger;
        _bells = new TopicBells(store, runtime, logger);
        _epochs = new DocumentEpochs(store);
    }

    /// <summary>
    /// Calls <paramref name="changed"/> with the topic's state as soon as it is known (perhaps before this returns) and with each later one, one call
    /// at a time, newest last; states may be skipped. A topic that does not exist yet is waited for. <paramref name="appended"/> is called for entries
    /// of this process, in any order with <paramref name="changed"/>. Both are called under no lock, must be quick and must not throw; one more
    /// call may come while and after the watch is disposed of.
    /// </summary>
    public IDisposable Watch(TopicName topic, Action<TopicSnapshot> changed, EntryAppended? appended = null)
    {
        var watcher = new TopicWatcher(changed, appended);
        WatchedTopic watched;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            watched = _topics.GetOrAdd(topic, name => new WatchedTopic(name, _directory, StartLoop, _logger));
            watched.Add(watcher);
        }

        watched.Start();
        watched.Deliver();
        return new Subscription(this, watched, watcher);
    }

    /// <summary>What this process's producers are appending right now.</summary>
    public PendingAppends Pending { get; } = new();

    /// <summary>Hands a confirmed entry of this process to the local readers, so that they need neither wait nor read.</summary>
    public void Appended(ShardId shard, Offset offset, ReadOnlyMemory<byte> encodedEntry)
    {
        if (_topics.TryGetValue(shard.Topic, out var watched))
        {
            watched.Appended(shard, offset, encodedEntry);
        }
    }

    /// <summary>Tells every process that the topic has new entries after a silence. Never fails: a lost bell delays readers by up to 30 s.</summary>
    public ValueTask RingAsync(TopicName topic) => _bells.RingAsync(topic);

    /// <summary>Ends every watch; completes when no loop runs any more.</summary>
    public async ValueTask DisposeAsync()
    {
        WatchedTopic[] watched;
        lock (_lock)
        {
            _isDisposed = true;
            watched = [.. _topics.Values];
            _topics.Clear();
        }

        foreach (var topic in watched)
        {
            await topic.DisposeAsync();
        }

        await _bells.DisposeAsync();
    }

    private Task StartLoop(WatchedTopic topic, int part, CancellationToken stop)
    {
        var loop = new TopicPartLoop(topic, part, _store, _runtime, _bells, _epochs, _logger);
        return _runtime.Start(() => loop.RunAsync(stop));
    }

    private void Remove(WatchedTopic watched, TopicWatcher watcher)
    {
        lock (_lock)
        {
            if (!watched.Remove(watcher))
            {
                return;
            }

            _topics.TryRemove(KeyValuePair.Create(watched.Name, watched));
        }

        // The loops end by themselves once they are told to.
        _ = watched.DisposeAsync().AsTask();
    }

    private sealed class Subscription(TopicWatch watch, WatchedTopic topic, TopicWatcher watcher) : IDisposable
    {
        private int _isDisposed;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
            {
                watch.Remove(topic, watcher);
            }
        }
    }
}

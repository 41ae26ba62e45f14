using Microsoft.Extensions.Logging;
using Pub.Storage;

namespace Pub.Topology;

/// <summary>
/// The process's one wait for changes of the registry. It begins with the first watch. After every change, and every 30 s in any case, all
/// watched subscriptions are read again; who watches one is told if it is not what they were told last.
/// <code>
/// under the lock: the list of watches
/// the loop alone: what each was told last
/// </code>
/// </summary>
internal sealed class RegistryWatch(
    IDocumentStore store,
    PubRuntime runtime,
    Func<SubscriptionName, CancellationToken, Task<SubscriptionView?>> find,
    Action changed,
    ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan Reread = TimeSpan.FromSeconds(30);

    /// <summary>Changes come in bursts, at the start of many instances.</summary>
    private static readonly TimeSpan ShortestRound = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Watched> _watches = [];
    private Task? _loop;

    public IDisposable Watch(SubscriptionName name, Action<SubscriptionView?> tell)
    {
        var watched = new Watched(this, name, tell);
        lock (_lock)
        {
            _watches.Add(watched);
        }

        Start();
        return watched;
    }

    /// <summary>Begins to wait, if that has not begun.</summary>
    public void Start()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_stop.IsCancellationRequested, this);
            _loop ??= runtime.Start(RunAsync);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task? loop;
        lock (_lock)
        {
            _stop.Cancel();
            loop = _loop;
        }

        if (loop is not null)
        {
            await loop;
        }
    }

    private async Task RunAsync()
    {
        var processed = Cas.None;
        var pause = ShortestRound;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var signal = await store.WaitAsync(TopologyStore.Changes, processed, Reread, _stop.Token);
                changed();
                await TellAsync();
                processed = signal.Cas;
                pause = ShortestRound;
                await runtime.Delay(ShortestRound, _stop.Token);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                pause = runtime.Jitter(pause * 2 < Reread ? pause * 2 : Reread);
                RegistryLog.RereadFailed(logger, pause, e);
                await runtime.Delay(pause, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            }
        }
    }

    private async Task TellAsync()
    {
        Watched[] watches;
        lock (_lock)
        {
            watches = [.. _watches];
        }

        foreach (var sameName in watches.GroupBy(watched => watched.Name))
        {
            var view = await find(sameName.Key, _stop.Token);
            foreach (var watched in sameName)
            {
                watched.Tell(view, logger);
            }
        }
    }

    private void Remove(Watched watched)
    {
        lock (_lock)
        {
            _watches.Remove(watched);
        }
    }

    private sealed class Watched(RegistryWatch owner, SubscriptionName name, Action<SubscriptionView?> tell) : IDisposable
    {
        private SubscriptionView? _told;
        private bool _wasTold;

        public SubscriptionName Name => name;

        public void Tell(SubscriptionView? view, ILogger logger)
        {
            if (_wasTold && (view is null ? _told is null : _told is not null && view.SameAs(_told)))
            {
                return;
            }

            (_told, _wasTold) = (view, true);
            try
            {
                tell(view);
            }
            catch (Exception e)
            {
                RegistryLog.WatcherFailed(logger, name, e);
            }
        }

        public void Dispose() => owner.Remove(this);
    }
}

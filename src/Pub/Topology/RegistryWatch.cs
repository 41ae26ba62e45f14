using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging;
using Pub.Storage;

namespace Pub.Topology;

/// <summary>
/// The process's one wait for changes of the registry. It begins with the first watch. After every change, and every 30 s in any case, all
/// watched subscriptions are read again; who watches one is told if it is not what they were told last. Who begins to watch is told at once: what
/// changed between their own look and the watch has been signalled already.
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
    private readonly LoopWake _wake = new();
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
        _wake.Wake(readAgain: true);
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
        _stop.Cancel();
        lock (_lock)
        {
            loop = _loop;
        }

        _wake.Wake(readAgain: false);
        if (loop is not null)
        {
            await loop;
        }
    }

    private async Task RunAsync()
    {
        var known = StoredDocument.Missing;
        var (pause, timeout) = (ShortestRound, Reread);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var signal = await _wake.WaitAsync(store, TopologyStore.Changes, known, timeout);
                _stop.Token.ThrowIfCancellationRequested();
                if (signal is not null)
                {
                    changed();
                }

                await TellAsync(onlyNew: signal is null);
                (known, pause, timeout) = (signal ?? known, ShortestRound, Reread);
                await runtime.Delay(signal is null ? TimeSpan.Zero : ShortestRound, _stop.Token);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // Who was not told is told at the next look, whatever is signalled.
                (pause, timeout) = (runtime.Jitter(pause * 2 < Reread ? pause * 2 : Reread), ShortestRound);
                RegistryLog.RereadFailed(logger, pause, e);
                await runtime.Delay(pause, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            }
        }
    }

    /// <summary>One that cannot be read does not keep the news from the others; it is thrown when they have been told.</summary>
    private async Task TellAsync(bool onlyNew)
    {
        Watched[] watches;
        lock (_lock)
        {
            watches = [.. _watches];
        }

        Exception? failure = null;
        foreach (var sameName in watches.Where(watched => !onlyNew || watched.IsNew).GroupBy(watched => watched.Name))
        {
            try
            {
                var view = await find(sameName.Key, _stop.Token);
                foreach (var watched in sameName)
                {
                    watched.Tell(view, logger);
                }
            }
            catch (PubException e)
            {
                failure ??= e;
            }
        }

        if (failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
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

        /// <summary>Whether nothing was told yet.</summary>
        public bool IsNew => !_wasTold;

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

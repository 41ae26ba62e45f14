using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Pub.Leases;
using Pub.Storage;
using Pub.Subscriptions;
using Pub.Topics;
using Pub.Topology;
using Pub.Trimming;

namespace Pub;

/// <summary>
/// One store in one process: publishes, subscribes, and looks after what is stored. Make one per store with <c>services.AddPub…</c>, or with
/// <see cref="Create"/>; safe for several threads.
/// </summary>
public sealed class PubClient : IAsyncDisposable
{
    private readonly PubCore _core;
    private readonly IDocumentStore? _owned;
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _ending = new();

    // Both under the lock. A consumer that is null is being started; its start is among the tasks.
    private readonly Dictionary<SubscriptionName, Consumer?> _consumers = [];
    private readonly List<Task> _starts = [];
    private Task? _stopping;

    internal PubClient(IDocumentStore store, PubOptions options, PubRuntime runtime, ILoggerFactory? loggers = null, bool ownsStore = false)
    {
        _owned = ownsStore ? store : null;
        _core = new PubCore(store, options, runtime, loggers ?? NullLoggerFactory.Instance, () => Consumers);
    }

    /// <summary>Publishes messages.</summary>
    public Producer Producer => _core.Producer;

    /// <summary>Publishes messages later.</summary>
    public Scheduler Scheduler => _core.Scheduler;

    /// <summary>Looks at and changes what is stored.</summary>
    public Controller Controller => _core.Controller;

    /// <summary>The consumers that run now.</summary>
    public IReadOnlyList<Consumer> Consumers
    {
        get
        {
            lock (_lock)
            {
                return [.. _consumers.Values.OfType<Consumer>().OrderBy(consumer => consumer.Subscription)];
            }
        }
    }

    internal PubCore Core => _core;

    /// <summary>Makes a client outside of dependency injection.</summary>
    /// <param name="store">The store; disposed of with the client if <paramref name="ownsStore"/>.</param>
    /// <param name="options">The settings; null for the defaults.</param>
    /// <param name="loggers">Where to log; null for nowhere.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <param name="ownsStore">Whether the client disposes of the store.</param>
    /// <exception cref="ArgumentException">A setting is not allowed; the message names each and what is.</exception>
    public static PubClient Create(
        IDocumentStore store, PubOptions? options = null, ILoggerFactory? loggers = null, TimeProvider? time = null, bool ownsStore = false)
    {
        ArgumentNullException.ThrowIfNull(store);
        options ??= new PubOptions();
        return options.FindFaults() is { } faults
            ? throw new ArgumentException($"The settings cannot be used. {faults}", nameof(options))
            : new PubClient(store, options, new PubRuntime(time), loggers, ownsStore);
    }

    /// <summary>
    /// Opens the store, if nothing has been done with it yet. Not needed: every call opens it. It tells early whether the store can be used.
    /// </summary>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="PubException">The store cannot be opened. The next call tries again.</exception>
    public async Task OpenAsync(CancellationToken cancellationToken = default)
    {
        if (_core.Store is DeferredStore store)
        {
            await store.OpenAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Declares a subscription, joins the instances that share it, and begins to read. When this returns, what is published from now on is received.
    /// One consumer per subscription and process.
    /// </summary>
    /// <exception cref="ArgumentException">An option is not allowed; the message names each and what is.</exception>
    /// <exception cref="InvalidOperationException">This process has a consumer of the subscription already.</exception>
    public async Task<Consumer> SubscribeAsync(
        SubscriptionName subscription, Action<ConsumerOptions>? configure = null, CancellationToken cancellationToken = default)
    {
        var options = new ConsumerOptions();
        configure?.Invoke(options);
        if (options.FindFaults() is { } faults)
        {
            throw new ArgumentException($"The options of {subscription} cannot be used. {faults}", nameof(configure));
        }

        var started = Completion.Source();
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_stopping is not null, this);
            if (!_consumers.TryAdd(subscription, null))
            {
                throw new InvalidOperationException($"This process has a consumer of {subscription} already.");
            }

            _starts.Add(started.Task);
        }

        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _ending.Token);
            return Keep(await _core.SubscribeAsync(subscription, options, Forget, either.Token));
        }
        catch (Exception e)
        {
            Forget(subscription);
            ObjectDisposedException.ThrowIf(e is OperationCanceledException && !cancellationToken.IsCancellationRequested && _ending.IsCancellationRequested, this);
            throw;
        }
        finally
        {
            lock (_lock)
            {
                _starts.Remove(started.Task);
            }

            started.SetResult();
        }
    }

    /// <summary>
    /// Stops: consumers give up their leases, what is being published is finished, the session is removed. Another instance goes on at once.
    /// </summary>
    public Task StopAsync()
    {
        _ending.Cancel();
        lock (_lock)
        {
            // Away from the lock: what ends calls back.
            return _stopping ??= _core.Runtime.Start(StopCoreAsync);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await StopAsync();
        }
        finally
        {
            if (_owned is not null)
            {
                await _owned.DisposeAsync();
            }
        }
    }

    private async Task StopCoreAsync()
    {
        // What is being started ends first, started or not.
        Task[] starts;
        lock (_lock)
        {
            starts = [.. _starts];
        }

        await Task.WhenAll(starts);
        try
        {
            await Task.WhenAll(Consumers.Select(consumer => consumer.StopAsync()));
        }
        finally
        {
            await _core.StopAsync();
        }
    }

    /// <summary>One that has ended already, because its subscription was deleted meanwhile, is not kept: nobody would take it out again.</summary>
    private Consumer Keep(Consumer consumer)
    {
        lock (_lock)
        {
            if (!consumer.IsStopping)
            {
                _consumers[consumer.Subscription] = consumer;
            }
        }

        return consumer;
    }

    private void Forget(Consumer consumer) => Forget(consumer.Subscription);

    private void Forget(SubscriptionName subscription)
    {
        lock (_lock)
        {
            _consumers.Remove(subscription);
        }
    }
}

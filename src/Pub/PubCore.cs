using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging;
using Pub.Control;
using Pub.Leases;
using Pub.Scheduling;
using Pub.Storage;
using Pub.Subscriptions;
using Pub.Topics;
using Pub.Topology;
using Pub.Trimming;

namespace Pub;

/// <summary>
/// Everything of one store in one process, put together. What only publishes has no session: that begins with the first subscription or the first
/// scheduled message, and with it this process's share of moving what is due.
/// </summary>
internal sealed class PubCore
{
    private static readonly TimeSpan MoverPatience = TimeSpan.FromSeconds(5);

    private readonly PubRuntime _runtime;
    private readonly PubOptions _options;
    private readonly ILogger _logger;
    private readonly CursorPace _pace;
    private readonly EntryCache _cache;
    private readonly ShardLog _log;
    private readonly ISetAside _setAside;
    private readonly Producer _moving;
    private readonly ScheduleMovers _movers;
    private int _isActive;

    public PubCore(IDocumentStore store, PubOptions options, PubRuntime runtime, ILoggerFactory loggers, Func<IReadOnlyList<Consumer>> consumers)
    {
        Store = store;
        _runtime = runtime;
        _options = options;
        _logger = loggers.CreateLogger<Consumer>();
        _pace = new CursorPace(options.CursorWritesPerSecond);
        _cache = new EntryCache(store, options.EntryCacheBytes);
        _log = new ShardLog(store, runtime, options.Timings, loggers.CreateLogger<ShardLog>());
        Directory = new TopicDirectory(store, runtime, loggers.CreateLogger<TopicDirectory>());
        Watch = new TopicWatch(store, runtime, Directory, loggers.CreateLogger<TopicWatch>());
        var marks = new ShardMarks(store, runtime);
        var removal = new EntryRemoval(store, runtime, options.Trimming.RemovalsPerSecond);
        var eraser = new LogEraser(store, runtime, Directory, marks, removal);
        Registry = new SubscriptionRegistry(
            store, runtime, Directory, eraser, loggers.CreateLogger<SubscriptionRegistry>());
        Producer = new Producer(
            store, runtime, Directory, Watch, options.Producer, loggers.CreateLogger<Producer>(), options.Timings, Registry, SetAside.HeaderBytes);
        Sessions = new SessionKeeper(
            store, runtime, options.LeaseTimings, ProcessName, loggers.CreateLogger<SessionKeeper>(), (name, session) => Registry.RemoveTemporaryAsync(name, session));
        _moving = new Producer(
            store, runtime, Directory, Watch, ProducerTargets.Options(ScheduleTimings.Default), loggers.CreateLogger<Producer>(), options.Timings, Registry);
        var scheduling = new SchedulingSetup(
            store, runtime, options.Timings, new ProducerTargets(_moving, Directory, Watch, Registry), loggers.CreateLogger<Scheduler>());
        Scheduler = scheduling.Scheduler;
        Scheduler.Using = Activate;
        _movers = scheduling.CreateMovers(Sessions);
        _setAside = new SetAside(runtime, _moving, Scheduler);
        Trimmer = new Trimmer(
            store, runtime, Directory, Registry, marks, removal, new TrimSource(consumers, Producer), options.Trimming, loggers.CreateLogger<Trimmer>());
        Controller = new Controller(
            new ControlContext(store, runtime, Directory, Registry, Producer, Trimmer, eraser));
        Trimmer.Start();
    }

    public IDocumentStore Store { get; }

    public PubRuntime Runtime => _runtime;

    public TimeProvider Time => _runtime.Time;

    public TopicDirectory Directory { get; }

    public TopicWatch Watch { get; }

    public SubscriptionRegistry Registry { get; }

    public SessionKeeper Sessions { get; }

    public Producer Producer { get; }

    public Scheduler Scheduler { get; }

    public Trimmer Trimmer { get; }

    public Controller Controller { get; }

    private static string ProcessName => $"{Environment.MachineName}/{Environment.ProcessId}";

    public async Task<Consumer> SubscribeAsync(
        SubscriptionName name, ConsumerOptions options, Action<Consumer> ended, CancellationToken cancellationToken)
    {
        Activate();
        var declaration = new SubscriptionDeclaration(name)
        {
            Topics = [.. options.Topics.Select(source => new DeclaredTopic(source.Topic, source.Start))],
        };
        var temporary = options.IsTemporary ? new TemporaryMembership(Sessions, Registry, declaration, _logger) : null;
        var view = temporary is null
            ? await Registry.DeclareAsync(declaration, cancellationToken)
            : await JoinAsync(temporary, cancellationToken);
        var runtime = new SubscriptionRuntime(
            ContextOf(name, options), Watch, _pace, view, options.Topics.Select(source => source.Topic).ToHashSet());
        var keeper = new LeaseKeeper(Sessions, new LeaseScope(name, view.Incarnation, view.LeaseCount), runtime, _logger);
        var consumer = new Consumer(runtime, keeper, Registry, ended, temporary);
        await consumer.StartAsync(cancellationToken);
        return consumer;
    }

    /// <summary>One after another, because each is of use to those before it. One that fails keeps none of the others running.</summary>
    public async Task StopAsync()
    {
        Func<ValueTask>[] steps =
        [
            Trimmer.DisposeAsync,
            () => new ValueTask(_movers.StopAsync(MoverPatience)),
            Producer.DisposeAsync,
            _moving.DisposeAsync,
            Sessions.DisposeAsync,
            Watch.DisposeAsync,
            Registry.DisposeAsync,
        ];
        Exception? failure = null;
        foreach (var step in steps)
        {
            try
            {
                await step();
            }
            catch (Exception e)
            {
                failure ??= e;
            }
        }

        if (failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    private static async Task<SubscriptionView> JoinAsync(TemporaryMembership temporary, CancellationToken cancellationToken)
    {
        try
        {
            return await temporary.JoinAsync(cancellationToken);
        }
        catch
        {
            // It may be declared, and would hold its topics' trim for as long as this process lives.
            await temporary.LeaveAsync();
            throw;
        }
    }

    /// <summary>Begins the session and this process's share of moving what is due; the first call does it.</summary>
    private void Activate()
    {
        if (Interlocked.Exchange(ref _isActive, 1) == 0)
        {
            Sessions.Start();
            _ = _runtime.Start(StartMoversAsync);
        }
    }

    private async Task StartMoversAsync()
    {
        try
        {
            await _movers.StartAsync();
        }
        catch (ObjectDisposedException)
        {
            // stopped before it began
        }
    }

    private ReaderContext ContextOf(SubscriptionName name, ConsumerOptions options) => new()
    {
        Store = Store,
        Runtime = _runtime,
        Timings = _options.Timings,
        Directory = Directory,
        Cache = _cache,
        Pending = Watch.Pending,
        Log = _log,
        SetAside = _setAside,
        Subscription = name,
        Options = options,
        DeadLetterQueue = options.DeadLetterQueueOf(name),
        Queue = new DeliveryQueue(_runtime.Broken, _runtime.Time, options.Prefetch / 2),
        Budget = new PrefetchBudget(options.Prefetch, options.PrefetchBytes),
        Counters = new ConsumerCounters(),
        Logger = _logger,
    };
}

using Microsoft.Extensions.Logging.Abstractions;
using Pub.Control;
using Pub.Storage;
using Pub.Topics;
using Pub.Topology;
using Pub.Trimming;

namespace Pub.Tests.Topology;

/// <summary>One process on a test's store: its directory, registry and trimming, and a simple way to append.</summary>
internal sealed class TestProcess : IAsyncDisposable, ITrimSource
{
    private readonly ShardLog _log;
    private readonly TopicWatch _watch;

    public TestProcess(IDocumentStore store, PubRuntime runtime)
    {
        Store = store;
        Runtime = runtime;
        Directory = new TopicDirectory(store, runtime, NullLogger<TopicDirectory>.Instance);
        Marks = new ShardMarks(store, runtime);
        Removal = new EntryRemoval(store, runtime, 1_000_000);
        Eraser = new LogEraser(store, runtime, Directory, Marks, Removal);
        Registry = new SubscriptionRegistry(store, runtime, Directory, Eraser, NullLogger<SubscriptionRegistry>.Instance);
        Topology = new TopologyStore(store, runtime);
        Trimmer = new Trimmer(store, runtime, Directory, Registry, Marks, Removal, this, new RetentionOptions(), NullLogger<Trimmer>.Instance);
        _watch = new TopicWatch(store, runtime, Directory, NullLogger<TopicWatch>.Instance);
        Producer = new Producer(store, runtime, Directory, _watch, new ProducerOptions(), NullLogger.Instance, queues: Registry);
        Controller = new Controller(new ControlContext(store, runtime, Directory, Registry, Producer, Trimmer, Eraser));
        _log = new ShardLog(store, runtime, PubTimings.Default, NullLogger<ShardLog>.Instance);
    }

    public IDocumentStore Store { get; }

    public PubRuntime Runtime { get; }

    public TopicDirectory Directory { get; }

    public ShardMarks Marks { get; }

    public EntryRemoval Removal { get; }

    public LogEraser Eraser { get; }

    public SubscriptionRegistry Registry { get; }

    public TopologyStore Topology { get; }

    public Trimmer Trimmer { get; }

    public Producer Producer { get; }

    public Controller Controller { get; }

    public List<HeldSubscription> Held { get; } = [];

    public List<TopicName> Published { get; } = [];

    IReadOnlyList<HeldSubscription> ITrimSource.Held => Held;

    IReadOnlyCollection<TopicName> ITrimSource.Published => Published;

    /// <summary>Makes the process the holder of all leases of a subscription.</summary>
    public async Task HoldAsync(SubscriptionName name, Func<ShardId, Position?>? floor = null, ShardId[]? shards = null)
    {
        var view = await Registry.FindAsync(name, TestCluster.Cancellation) ?? throw new InvalidOperationException($"There is no {name}.");
        Held.Add(new HeldSubscription(view, [.. Enumerable.Range(0, view.LeaseCount)], shards ?? [], floor ?? (_ => null)));
    }

    /// <summary>Appends one message and answers its offset.</summary>
    public async Task<Offset> AppendAsync(ShardId shard, string? key = null, IReadOnlyDictionary<string, string>? headers = null, string? id = null)
    {
        var topic = await Directory.GetOrCreateAsync(shard.Topic, cancellationToken: TestCluster.Cancellation);
        var message = MessageEncoder.Encode(
            new OutgoingMessage { Id = id, Key = key, Headers = headers, Body = "{}"u8.ToArray() }, Runtime, Store.MaxDocumentBytes);
        var writer = new EntryWriter();
        writer.TryAdd(message);
        var appendId = Runtime.NewId();
        var entry = writer.Finish("test", appendId, Runtime.UnixMilliseconds);
        var result = await _log.AppendAsync(shard, topic[shard.Number].Life, Offset.None, appendId, entry, TimeSpan.FromSeconds(30));
        Assert.Equal(AppendStatus.Done, result.Status);
        return result.Offset;
    }

    public Task<SubscriptionView> DeclareAsync(SubscriptionName name, params DeclaredTopic[] topics) =>
        Registry.DeclareAsync(new SubscriptionDeclaration(name) { Topics = topics }, TestCluster.Cancellation);

    public async ValueTask DisposeAsync()
    {
        await Trimmer.DisposeAsync();
        await Producer.DisposeAsync();
        await _watch.DisposeAsync();
        await Registry.DisposeAsync();
    }
}

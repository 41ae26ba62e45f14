using Microsoft.Extensions.Logging.Abstractions;
using Pub.Storage;
using Pub.Topics;
using Pub.Topology;
using Pub.Trimming;

namespace Pub.Tests.Topology;

/// <summary>One process on a test's store: its directory, registry and trimming, and a simple way to append.</summary>
internal sealed class TestProcess : IAsyncDisposable
{
    private readonly ShardLog _log;

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

    public async ValueTask DisposeAsync() => await Registry.DisposeAsync();
}

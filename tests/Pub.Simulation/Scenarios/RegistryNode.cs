using Microsoft.Extensions.Logging.Abstractions;
using Pub.Simulation.Kernel;
using Pub.Simulation.Store;
using Pub.Storage;
using Pub.Topics;
using Pub.Topology;
using Pub.Trimming;

namespace Pub.Simulation.Scenarios;

/// <summary>A process that declares subscriptions, records flows, and trims, with the registry of the core.</summary>
internal sealed class RegistryNode
{
    private readonly SimNode _node;
    private readonly ShardMarks _marks;
    private readonly EntryRemoval _removal;

    public RegistryNode(Scenario scenario, string name)
    {
        _node = scenario.World.NewNode(name);
        Directory = new TopicDirectory(_node.Store, _node.Runtime, NullLogger<TopicDirectory>.Instance);
        _marks = new ShardMarks(_node.Store, _node.Runtime);
        _removal = new EntryRemoval(_node.Store, _node.Runtime, 5000);
        var eraser = new LogEraser(_node.Store, _node.Runtime, Directory, _marks, _removal);
        Registry = new SubscriptionRegistry(_node.Store, _node.Runtime, Directory, eraser, NullLogger<SubscriptionRegistry>.Instance);
        Log = new ShardLog(_node.Store, _node.Runtime, PubTimings.Default, NullLogger<ShardLog>.Instance);
    }

    public SimProcess Process => _node.Process;

    public NodeStore Store => _node.Store;

    public TopicDirectory Directory { get; }

    public SubscriptionRegistry Registry { get; }

    public ShardLog Log { get; }

    public Task CreateAsync(TopicName topic) => Process.Do(() => Directory.GetOrCreateAsync(topic, new TopicSettings { Shards = 1 }).AsTask());

    public Task<SubscriptionView> DeclareAsync(SubscriptionName name, params TopicName[] topics) => Process.Do(() =>
        Registry.DeclareAsync(new SubscriptionDeclaration(name) { Topics = [.. topics.Select(topic => new DeclaredTopic(topic))] }));

    public Task<Offset> AppendAsync(TopicName topic, string id) => Process.Do(async () =>
    {
        var writer = new EntryWriter();
        writer.TryAdd(MessageEncoder.Encode(new OutgoingMessage { Id = id, Body = "{}"u8.ToArray() }, _node.Runtime, 1_000_000));
        var appendId = _node.Runtime.NewId();
        var entry = writer.Finish(_node.Name, appendId, 0);
        return (await Log.AppendAsync(new ShardId(topic, 0), 0, Offset.None, appendId, entry, TimeSpan.FromMinutes(1))).Offset;
    });

    /// <summary>The marks of a trim up to a head, and the removal of what is below it, up to a limit.</summary>
    public Task<Offset> TrimAsync(TopicName topic, Offset head, int limit = int.MaxValue) => Process.Do(async () =>
    {
        var document = await _marks.RaiseHeadsAsync(topic, 0, [head], CancellationToken.None);
        var removed = await _removal.RemoveAsync(new ShardId(topic, 0), document!.State(0), head, limit, CancellationToken.None);
        await _marks.RaiseRemovedAsync(topic, 0, [removed], CancellationToken.None);
        return removed;
    });
}

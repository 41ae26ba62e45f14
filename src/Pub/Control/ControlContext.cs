using Pub.Storage;
using Pub.Subscriptions;
using Pub.Topics;
using Pub.Topology;
using Pub.Trimming;

namespace Pub.Control;

/// <summary>What the parts of the controller share.</summary>
internal sealed class ControlContext(
    IDocumentStore store,
    PubRuntime runtime,
    TopicDirectory directory,
    SubscriptionRegistry registry,
    Producer producer,
    Trimmer trimmer,
    LogEraser eraser)
{
    public IDocumentStore Store => store;

    public PubRuntime Runtime => runtime;

    public TopicDirectory Directory => directory;

    public SubscriptionRegistry Registry => registry;

    public Producer Producer => producer;

    public Trimmer Trimmer => trimmer;

    public LogEraser Eraser => eraser;

    public CasLoop Loop { get; } = new(store, runtime);

    public Catalog Catalog { get; } = new(store, runtime);

    public TopologyStore Topology { get; } = new(store, runtime);

    public CursorEdits Edits { get; } = new(store, runtime);

    public StartResolver Starts { get; } = new(store, runtime, directory);

    public EntryTimes Times { get; } = new(store);

    /// <exception cref="NotFoundException">There is no such topic, or it is deleted.</exception>
    public async Task<TopicSnapshot> TopicAsync(TopicName topic, CancellationToken cancellationToken) =>
        await directory.RefreshAsync(topic, cancellationToken) is { IsClosed: false } found ? found : throw new NotFoundException($"There is no {Kind(topic)} {topic}.");

    /// <exception cref="NotFoundException">There is no such subscription.</exception>
    public async Task<SubscriptionView> SubscriptionAsync(SubscriptionName name, CancellationToken cancellationToken) =>
        await registry.FindAsync(name, cancellationToken) ?? throw new NotFoundException($"There is no subscription {name}.");

    private static string Kind(TopicName topic) => topic.Kind == TopicKind.Queue ? "queue" : "topic";
}

using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Pub.Storage;
using Pub.Topics;
using Pub.Trimming;

namespace Pub.Topology;

/// <summary>
/// The registry as one process uses it (docs/decisions/0007-topology.md).
/// <code>
/// a flow that is known here is recorded on both sides, for ever
/// a queue that is known here had its log and its record when it was looked at; forgotten whenever the registry changes
/// </code>
/// </summary>
internal sealed class SubscriptionRegistry : ISubscriptionRegistry
{
    private readonly PubRuntime _runtime;
    private readonly ILogger<SubscriptionRegistry> _logger;
    private readonly TopicDirectory _directory;
    private readonly TopologyStore _topology;
    private readonly StartResolver _starts;
    private readonly SubscriptionRemoval _removal;
    private readonly SubscriptionDeclarer _declarer;
    private readonly FlowRecorder _flows;
    private readonly RegistryWatch _watch;
    private readonly ConcurrentDictionary<(TopicName From, TopicName Into), bool> _knownFlows = new();
    private readonly ConcurrentDictionary<TopicName, bool> _knownQueues = new();

    public SubscriptionRegistry(
        IDocumentStore store, PubRuntime runtime, TopicDirectory directory, LogEraser eraser, ILogger<SubscriptionRegistry> logger)
    {
        _runtime = runtime;
        _logger = logger;
        _directory = directory;
        _topology = new TopologyStore(store, runtime);
        _starts = new StartResolver(store, runtime, directory);
        var catalog = new Catalog(store, runtime);
        _removal = new SubscriptionRemoval(store, directory, catalog, _topology, eraser);
        _declarer = new SubscriptionDeclarer(runtime, directory, catalog, _topology, _starts, _removal);
        _flows = new FlowRecorder(runtime, directory, _topology, _starts);
        _watch = new RegistryWatch(store, runtime, FindAsync, _knownQueues.Clear, logger);
    }

    public async Task<SubscriptionView> DeclareAsync(SubscriptionDeclaration declaration, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        var (record, changed) = await _declarer.DeclareAsync(declaration, cancellationToken);
        RegistryLog.Declared(_logger, declaration.Name);
        if (changed)
        {
            await _topology.SignalAsync();
        }

        return await ViewAsync(record, cancellationToken);
    }

    public async Task<SubscriptionView?> FindAsync(SubscriptionName name, CancellationToken cancellationToken = default) =>
        await _topology.ReadSubscriptionAsync(name, cancellationToken) is { Deleted: false } record ? await ViewAsync(record, cancellationToken) : null;

    public async Task RecordFlowAsync(TopicName from, TopicName into, CancellationToken cancellationToken = default)
    {
        if (from == into || _knownFlows.ContainsKey((from, into)))
        {
            return;
        }

        if (await _flows.RecordAsync(from, into, cancellationToken))
        {
            RegistryLog.FlowRecorded(_logger, from, into);
            await _topology.SignalAsync();
        }

        _knownFlows.TryAdd((from, into), true);
    }

    public ValueTask EnsureAsync(TopicName queue, CancellationToken cancellationToken = default) =>
        queue.Kind != TopicKind.Queue || _knownQueues.ContainsKey(queue) ? default : new ValueTask(EnsureQueueAsync(queue, cancellationToken));

    public IDisposable Watch(SubscriptionName name, Action<SubscriptionView?> changed) => _watch.Watch(name, changed);

    /// <summary>Tells whoever holds leases of the subscription that its cursors were edited.</summary>
    public async Task TellEditedAsync(SubscriptionName name, string incarnation, CancellationToken cancellationToken)
    {
        // The loser counts on.
        await _topology.UpdateSubscriptionAsync(
            name,
            record => record is { Deleted: false } && record.Incarnation == incarnation ? record with { Edits = record.Edits + 1 } : null,
            isDurable: false,
            cancellationToken);
        await _topology.SignalAsync();
    }

    public async Task<bool> DeleteAsync(SubscriptionName name, CancellationToken cancellationToken = default)
    {
        var found = await _removal.DeleteAsync(name, _ => true, cancellationToken);
        _knownQueues.TryRemove(name.OwnQueue, out _);
        if (found)
        {
            RegistryLog.Deleted(_logger, name);
            await _topology.SignalAsync();
        }

        return found;
    }

    public async Task RemoveTemporaryAsync(SubscriptionName name, string session, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(session);
        if (!_runtime.Breaks(BrokenRules.TemporaryStaysListed)
            && await _removal.DeleteAsync(name, record => record.Session == session, cancellationToken))
        {
            RegistryLog.TemporaryRemoved(_logger, name, session);
        }
    }

    public ValueTask DisposeAsync() => _watch.DisposeAsync();

    private async Task EnsureQueueAsync(TopicName queue, CancellationToken cancellationToken)
    {
        // From here on a deletion by another process makes this one forget the queue.
        _watch.Start();
        var name = SubscriptionName.Queue(queue.Name);
        if (await _directory.FindAsync(queue, cancellationToken) is { IsTemporary: true })
        {
            // A temporary endpoint's, which declares its subscription itself.
            return;
        }

        if (await _topology.ReadSubscriptionAsync(name, cancellationToken) is not { Deleted: false, Session: not null })
        {
            await _declarer.DeclareAsync(new SubscriptionDeclaration(name), cancellationToken);
        }

        _knownQueues.TryAdd(queue, true);
    }

    private async Task<SubscriptionView> ViewAsync(SubscriptionDocument record, CancellationToken cancellationToken)
    {
        var flows = await _topology.ReadUpstreamAsync(record.Topics.Where(line => !line.ByFlow).Select(line => line.Topic), cancellationToken);
        var view = flows.View(record);
        return _runtime.Breaks(BrokenRules.NoFlowTails) ? await WithPresentTailsAsync(record, view, cancellationToken) : view;
    }

    /// <summary>The rule that is left out: the start on what flows in is fixed when the reader first sees it.</summary>
    private async Task<SubscriptionView> WithPresentTailsAsync(SubscriptionDocument record, SubscriptionView view, CancellationToken cancellationToken)
    {
        var sources = new List<SubscriptionSource>();
        foreach (var source in view.Sources)
        {
            sources.Add(record.Find(source.Topic.ToString()) is not null
                ? source
                : source with { Starts = await _starts.ResolveAsync(source.Topic, StartAt.Tail, cancellationToken) });
        }

        return view with { Sources = sources };
    }
}

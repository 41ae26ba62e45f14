using Pub.Storage;
using Pub.Topics;
using Pub.Trimming;

namespace Pub.Topology;

/// <summary>
/// Deletes a subscription: marks its record, by which it is gone for everybody, cleans up behind it, removes the record. Cut short, it is completed by the
/// next deletion or declaration of the name (docs/decisions/0007-topology.md). Holds no state.
/// </summary>
internal sealed class SubscriptionRemoval(IDocumentStore store, TopicDirectory directory, Catalog catalog, TopologyStore topology, LogEraser eraser)
{
    /// <returns>False if there was none that <paramref name="isMeant"/>.</returns>
    public async Task<bool> DeleteAsync(SubscriptionName name, Func<SubscriptionDocument, bool> isMeant, CancellationToken cancellationToken)
    {
        if (await topology.ReadSubscriptionAsync(name, cancellationToken) is not { } known || !isMeant(known))
        {
            return false;
        }

        var ownQueue = await directory.RefreshAsync(name.OwnQueue, cancellationToken);
        long[]? lives = ownQueue is null ? null : [.. Enumerable.Range(0, ownQueue.ShardCount).Select(n => ownQueue[n].Life)];

        // The loser sees what the winner made of it: marked, which is as good, or another incarnation, which is not meant.
        var marked = await topology.UpdateSubscriptionAsync(
            name,
            state => state is { Deleted: false } && state.Incarnation == known.Incarnation ? state with { Deleted = true, OwnLives = lives } : null,
            known.Session is null,
            cancellationToken);
        if (marked.State is not { Deleted: true } deleted || deleted.Incarnation != known.Incarnation)
        {
            return marked.State is null;
        }

        await FinishAsync(name, deleted, cancellationToken);
        return true;
    }

    /// <summary>Removes what a deleted incarnation left, and its record last. Steps that were done find nothing to do.</summary>
    public async Task FinishAsync(SubscriptionName name, SubscriptionDocument deleted, CancellationToken cancellationToken)
    {
        var isTemporary = deleted.Session is not null;
        await UnlistAsync(deleted, isTemporary, cancellationToken);
        for (var lease = 0; lease < deleted.Leases; lease++)
        {
            await RemoveAsync(DocumentKeys.Cursor(name, deleted.Incarnation, lease));
        }

        await RemoveAsync(DocumentKeys.Assignment(name, deleted.Incarnation));
        await EraseOwnQueueAsync(name, deleted, cancellationToken);
        if (!isTemporary)
        {
            await catalog.RemoveAsync(name, cancellationToken);
        }

        await RemoveRecordAsync(name, deleted, cancellationToken);
    }

    private async Task UnlistAsync(SubscriptionDocument deleted, bool isTemporary, CancellationToken cancellationToken)
    {
        var reader = new TopicReader { Subscription = deleted.Name, Incarnation = deleted.Incarnation };
        string[] topics = [.. deleted.Topics.Where(line => !line.ByFlow).Select(line => line.Topic)];
        foreach (var (topic, document) in await topology.ReadTopicsAsync(topics, cancellationToken))
        {
            if (document.WithoutReader(reader) is not null)
            {
                await topology.UpdateTopicAsync(TopicName.Parse(topic), found => found.WithoutReader(reader), !isTemporary, cancellationToken);
            }
        }
    }

    private async Task EraseOwnQueueAsync(SubscriptionName name, SubscriptionDocument deleted, CancellationToken cancellationToken)
    {
        // Whoever completed this deletion in the meantime may have been followed by a declaration: then the queue is that one's.
        if (await topology.ReadSubscriptionAsync(name, cancellationToken) is not { Deleted: true } found || found.Incarnation != deleted.Incarnation)
        {
            return;
        }

        var queue = name.OwnQueue;
        if (deleted.Session is not null)
        {
            await eraser.EraseTemporaryAsync(queue, cancellationToken);
            await RemoveAsync(DocumentKeys.TopicTopology(queue));
            return;
        }

        await eraser.EraseAsync(queue, deleted.OwnLives ?? [], cancellationToken);
        await catalog.RemoveAsync(queue, cancellationToken);
        directory.Forget(queue);
    }

    /// <summary>Only this very record: a name that was declared again in the meantime stays.</summary>
    private async Task RemoveRecordAsync(SubscriptionName name, SubscriptionDocument deleted, CancellationToken cancellationToken)
    {
        var key = DocumentKeys.Subscription(name);
        var stored = await store.GetAsync(key, cancellationToken);
        if (SubscriptionDocument.Format.Read(key, stored) is { Deleted: true } found && found.Incarnation == deleted.Incarnation)
        {
            await store.RemoveAsync(key, stored.Cas, new WriteOptions(Durable: deleted.Session is null));
        }
    }

    private async Task RemoveAsync(DocumentKey key) => await store.RemoveAsync(key, options: WriteOptions.Synced);
}

using Pub.Storage;
using Pub.Topics;

namespace Pub.Topology;

/// <summary>Reads and writes the documents of the registry. Holds no state.</summary>
internal sealed class TopologyStore(IDocumentStore store, PubRuntime runtime)
{
    private readonly CasLoop _loop = new(store, runtime);

    public static DocumentKey Changes => new(DocumentCollection.Topology, "changes");

    /// <summary>The record, also one that is marked deleted; null if there is none.</summary>
    public async Task<SubscriptionDocument?> ReadSubscriptionAsync(SubscriptionName name, CancellationToken cancellationToken)
    {
        var key = DocumentKeys.Subscription(name);
        return SubscriptionDocument.Format.Read(key, await store.GetAsync(key, cancellationToken));
    }

    /// <summary>The records of several subscriptions, in their order.</summary>
    public async Task<IReadOnlyList<SubscriptionDocument?>> ReadSubscriptionsAsync(IReadOnlyList<SubscriptionName> names, CancellationToken cancellationToken)
    {
        DocumentKey[] keys = [.. names.Select(DocumentKeys.Subscription)];
        var stored = await store.GetManyAsync(keys, cancellationToken);
        return [.. stored.Select((document, i) => SubscriptionDocument.Format.Read(keys[i], document))];
    }

    public Task<CasResult<SubscriptionDocument>> UpdateSubscriptionAsync(
        SubscriptionName name, Func<SubscriptionDocument?, SubscriptionDocument?> decide, bool isDurable, CancellationToken cancellationToken) =>
        _loop.UpdateAsync(
            DocumentKeys.Subscription(name), SubscriptionDocument.Format, decide, new WriteOptions(isDurable), cancellationToken: cancellationToken);

    /// <summary>Changes a topic's topology; null for nothing to change. False if nothing was written.</summary>
    public async Task<bool> UpdateTopicAsync(
        TopicName topic, Func<TopicTopologyDocument, TopicTopologyDocument?> change, bool isDurable, CancellationToken cancellationToken)
    {
        // The loser of the CAS reads again: additions and removals of others stay.
        var result = await _loop.UpdateAsync(
            DocumentKeys.TopicTopology(topic),
            TopicTopologyDocument.Format,
            document => change(document ?? TopicTopologyDocument.Empty(topic)),
            new WriteOptions(isDurable),
            cancellationToken: cancellationToken);
        return result.Written;
    }

    /// <summary>The topics' topology; those without a document are left out.</summary>
    public async Task<Dictionary<string, TopicTopologyDocument>> ReadTopicsAsync(IReadOnlyCollection<string> topics, CancellationToken cancellationToken)
    {
        string[] names = [.. topics];
        DocumentKey[] keys = [.. names.Select(name => DocumentKeys.TopicTopology(TopicName.Parse(name)))];
        var stored = keys.Length == 0 ? [] : await store.GetManyAsync(keys, cancellationToken);
        var documents = new Dictionary<string, TopicTopologyDocument>(names.Length);
        for (var i = 0; i < names.Length; i++)
        {
            if (TopicTopologyDocument.Format.Read(keys[i], stored[i]) is { } document)
            {
                documents[names[i]] = document;
            }
        }

        return documents;
    }

    /// <summary>The topology of the topics and of everything that flows into them, level by level; each document once.</summary>
    public Task<FlowGraph> ReadUpstreamAsync(IEnumerable<string> topics, CancellationToken cancellationToken) =>
        WalkAsync(topics, document => document.From.Select(flow => flow.Topic), cancellationToken);

    /// <summary>The topology of the topics and of everything that they flow into.</summary>
    public Task<FlowGraph> ReadDownstreamAsync(IEnumerable<string> topics, CancellationToken cancellationToken) =>
        WalkAsync(topics, document => document.Into, cancellationToken);

    /// <summary>Tells every process that something changed. A lost signal delays the news to the next re-read, so a failure is not passed on.</summary>
    public async Task SignalAsync()
    {
        try
        {
            var result = await store.IncrementAsync(Changes, ChangesDocument.Counter, 1);
            if (result.Status == WriteStatus.Missing)
            {
                await store.InsertAsync(Changes, ChangesDocument.Format.Write(new ChangesDocument { N = 1 }));
            }
        }
        catch (PubException e) when (e.IsTransient)
        {
        }
    }

    private async Task<FlowGraph> WalkAsync(
        IEnumerable<string> topics, Func<TopicTopologyDocument, IEnumerable<string>> next, CancellationToken cancellationToken)
    {
        var all = new Dictionary<string, TopicTopologyDocument>();
        var seen = new HashSet<string>(topics);
        IReadOnlyCollection<string> level = [.. seen];
        while (level.Count > 0)
        {
            var read = await ReadTopicsAsync(level, cancellationToken);
            var following = new List<string>();
            foreach (var name in level)
            {
                if (read.TryGetValue(name, out var document))
                {
                    all.Add(name, document);
                    following.AddRange(next(document).Where(seen.Add));
                }
            }

            level = following;
        }

        return new FlowGraph(all);
    }
}

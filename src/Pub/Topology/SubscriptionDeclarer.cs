using Pub.Storage;
using Pub.Topics;

namespace Pub.Topology;

/// <summary>
/// Declares a subscription: its topics, its record with the starts, then the topics' lists of readers (docs/decisions/0007-topology.md). Each step can be
/// repeated by anybody; a declaration counts once all have been done. Holds no state.
/// </summary>
internal sealed class SubscriptionDeclarer(
    PubRuntime runtime, TopicDirectory directory, Catalog catalog, TopologyStore topology, StartResolver starts, SubscriptionRemoval removal)
{
    /// <summary>Attempts against others that delete the subscription meanwhile.</summary>
    private const int MaxAttempts = 20;

    /// <returns>The record, and whether one that others may watch was changed.</returns>
    public async Task<(SubscriptionDocument Record, bool Changed)> DeclareAsync(SubscriptionDeclaration declaration, CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= MaxAttempts; attempt++)
        {
            var known = await topology.ReadSubscriptionAsync(declaration.Name, cancellationToken);
            if (known is { Deleted: true })
            {
                // Somebody died in the middle of deleting it, or is about to end: what it leaves would never be cleaned up.
                await removal.FinishAsync(declaration.Name, known, cancellationToken);
                continue;
            }

            CheckKind(declaration, known);
            await CreateTopicsAsync(declaration, cancellationToken);
            var added = await NewTopicsAsync(declaration, known, cancellationToken);
            if (known is null && !declaration.IsTemporary)
            {
                await catalog.AddAsync(declaration.Name, cancellationToken);
            }

            var result = await WriteAsync(declaration, known, added, cancellationToken);
            if (result.State is { Deleted: false } record && IsComplete(record, declaration))
            {
                var isRepeat = known is not null && added.Count == 0;
                if (!(isRepeat && runtime.Breaks(BrokenRules.NoRepeatedListing)))
                {
                    await ListAsync(declaration, record, cancellationToken);
                }

                return (record, known is not null && result.Written);
            }
        }

        throw new StoreUnavailableException($"The subscription {declaration.Name} was deleted by others during each of {MaxAttempts} attempts to declare it.");
    }

    private static IEnumerable<DeclaredTopic> AllTopics(SubscriptionDeclaration declaration) =>
        declaration.Topics.Where(declared => declared.Topic != declaration.Name.OwnQueue)
            .Prepend(new DeclaredTopic(declaration.Name.OwnQueue, StartAt.Beginning));

    private static bool IsComplete(SubscriptionDocument record, SubscriptionDeclaration declaration) =>
        record.Session == declaration.TemporarySession
        && AllTopics(declaration).All(declared => record.Find(declared.Topic.ToString()) is { ByFlow: false });

    private static void CheckKind(SubscriptionDeclaration declaration, SubscriptionDocument? known)
    {
        if (known is not null && known.Session is null == declaration.IsTemporary)
        {
            throw new PubException(
                $"The subscription {declaration.Name} exists and is {(declaration.IsTemporary ? "durable" : "temporary")}; delete it or use another name.");
        }
    }

    private async Task CreateTopicsAsync(SubscriptionDeclaration declaration, CancellationToken cancellationToken)
    {
        foreach (var (topic, _) in AllTopics(declaration))
        {
            var snapshot = declaration.IsTemporary && topic == declaration.Name.OwnQueue
                ? await directory.CreateTemporaryAsync(topic, cancellationToken)
                : await directory.GetOrCreateAsync(topic, cancellationToken: cancellationToken);
            if (snapshot.IsClosed || await directory.RefreshAsync(topic, cancellationToken) is { IsClosed: true })
            {
                // It was deleted, perhaps by another process; who wants it again opens its next life.
                await directory.ReopenAsync(topic, cancellationToken);
            }
        }
    }

    /// <summary>
    /// The lines that the record lacks: the declared topics, and what flows into them now, each with its start. With them the starts of
    /// whatever is already read by flows, lest a second flow, recorded earlier, takes it back.
    /// </summary>
    private async Task<IReadOnlyList<SubscribedTopic>> NewTopicsAsync(
        SubscriptionDeclaration declaration, SubscriptionDocument? known, CancellationToken cancellationToken)
    {
        var choices = new Dictionary<string, StartAt>();
        foreach (var (topic, start) in AllTopics(declaration))
        {
            if (known?.Find(topic.ToString()) is not { ByFlow: false })
            {
                choices.TryAdd(topic.ToString(), Choice(declaration, topic, start));
            }
        }

        if (choices.Count == 0)
        {
            return [];
        }

        var declaredBefore = known is null ? [] : known.Topics.Where(line => !line.ByFlow).Select(line => line.Topic);
        var flows = await topology.ReadUpstreamAsync([.. choices.Keys, .. declaredBefore], cancellationToken);
        var lines = known is null ? [] : flows.View(known).Sources.ToDictionary(
            source => source.Topic.ToString(),
            source => new SubscribedTopic { Topic = source.Topic.ToString(), Starts = StoredPositions.Write(source.Starts), ByFlow = true });
        foreach (var (topic, roots) in flows.RootsOf(choices.Keys))
        {
            lines[topic] = lines.TryGetValue(topic, out var read)
                ? read with { ByFlow = !choices.ContainsKey(topic) }
                : await NewLineAsync(topic, roots, choices, cancellationToken);
        }

        // A line that the record has stays as it is there (SubscriptionDocument.With).
        return [.. lines.Values];
    }

    private StartAt Choice(SubscriptionDeclaration declaration, TopicName topic, StartAt start) =>
        topic == declaration.Name.OwnQueue && runtime.Breaks(BrokenRules.QueueStartsAtTail) ? StartAt.Tail : start;

    private async Task<SubscribedTopic> NewLineAsync(
        string topic, IEnumerable<string> roots, Dictionary<string, StartAt> choices, CancellationToken cancellationToken)
    {
        if (choices.TryGetValue(topic, out var own))
        {
            return new SubscribedTopic { Topic = topic, Starts = StoredPositions.Write(await starts.ResolveAsync(TopicName.Parse(topic), own, cancellationToken)) };
        }

        // What flows in begins as what it flows into; positions mean only their own topic, so there the tail is taken.
        IReadOnlyList<Position>? earliest = null;
        foreach (var root in roots)
        {
            var start = choices[root].Kind == StartKind.Positions ? StartAt.Tail : choices[root];
            var resolved = await starts.ResolveAsync(TopicName.Parse(topic), start, cancellationToken);
            earliest = earliest is null ? resolved : StoredPositions.Earliest(earliest, resolved);
        }

        return new SubscribedTopic { Topic = topic, Starts = StoredPositions.Write(earliest ?? []), ByFlow = true };
    }

    private Task<CasResult<SubscriptionDocument>> WriteAsync(
        SubscriptionDeclaration declaration, SubscriptionDocument? known, IReadOnlyList<SubscribedTopic> added, CancellationToken cancellationToken)
    {
        var made = new SubscriptionDocument
        {
            Name = declaration.Name.ToString(),
            Incarnation = runtime.Breaks(BrokenRules.NoIncarnation) ? "always" : runtime.NewId(),
            Leases = declaration.LeaseCount,
            Created = runtime.UnixMilliseconds,
            Session = declaration.TemporarySession,
            Topics = [],
        };

        // The loser finds the winner's record and adds what that lacks; if it was deleted instead, the caller begins again.
        return topology.UpdateSubscriptionAsync(
            declaration.Name,
            state => state switch
            {
                null => known is null ? made.With(added) : null,
                { Deleted: true } => null,
                _ when state.Session is null == declaration.IsTemporary => null,
                _ => Extended(state, added, declaration.TemporarySession),
            },
            !declaration.IsTemporary,
            cancellationToken);
    }

    private static SubscriptionDocument? Extended(SubscriptionDocument state, IReadOnlyList<SubscribedTopic> added, string? session)
    {
        var lacks = state.Session != session
            || added.Any(line => state.Find(line.Topic) is not { } found || (found.ByFlow && !line.ByFlow));
        return lacks ? state.With(added) with { Session = session } : null;
    }

    private async Task ListAsync(SubscriptionDeclaration declaration, SubscriptionDocument record, CancellationToken cancellationToken)
    {
        var reader = new TopicReader { Subscription = record.Name, Incarnation = record.Incarnation };
        TopicName[] topics = [.. AllTopics(declaration).Select(declared => declared.Topic).Distinct()];
        var listed = await topology.ReadTopicsAsync([.. topics.Select(topic => topic.ToString())], cancellationToken);
        foreach (var topic in topics)
        {
            if (!listed.TryGetValue(topic.ToString(), out var document) || document.WithReader(reader) is not null)
            {
                await topology.UpdateTopicAsync(topic, found => found.WithReader(reader), !declaration.IsTemporary, cancellationToken);
            }
        }
    }
}

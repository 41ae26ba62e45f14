using Pub.Storage;
using Pub.Topics;
using Pub.Topology;

namespace Pub.Trimming;

/// <summary>
/// Reads what a trim of one topic depends on, in the order that makes it safe (docs/decisions/0008-retention.md): documents, registry, floors,
/// registry again; then decides. Used by one loop.
/// </summary>
internal sealed class TrimPlanner(
    IDocumentStore store, PubRuntime runtime, TopicDirectory directory, TopologyStore topology, RetentionOptions options)
{
    private readonly TopicReaders _readers = new(store, topology);
    private readonly AgeLimits _ages = new(store);

    /// <summary>The plan, or null if the topic is gone or closed.</summary>
    /// <param name="name">The topic.</param>
    /// <param name="held">What this process holds.</param>
    /// <param name="isAsked">Somebody asked for this trim: then it is ours whoever holds what.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<TrimPlan?> PlanAsync(TopicName name, HeldHere held, bool isAsked, CancellationToken cancellationToken)
    {
        if (await directory.RefreshAsync(name, cancellationToken) is not { IsClosed: false } topic)
        {
            _ages.Forget(name);
            return null;
        }

        var (readers, floors) = await ReadAsync(topic, held, cancellationToken);
        var rule = RetentionRule.Of(topic, options);
        var isAnyones = readers.Count == 0 || rule.Mode == Retention.AfterTime;
        var heads = new Offset[topic.ShardCount];
        var isOurs = new bool[topic.ShardCount];
        for (var n = 0; n < heads.Length; n++)
        {
            isOurs[n] = isAsked || isAnyones || held.Holds(readers[LowestOf(floors[n])], n);
            if (isOurs[n])
            {
                var aged = rule.NeedsAge(readers.Count > 0)
                    ? await _ages.FindAsync(new ShardId(name, n), topic[n], Cutoff(rule), cancellationToken)
                    : topic[n].Head;
                var head = TrimDecision.Head(rule, topic[n], floors[n], aged);
                heads[n] = head > topic[n].Head ? head : Offset.None;
            }
        }

        return new TrimPlan(topic, readers, heads, isOurs, isAnyones);
    }

    /// <summary>
    /// How far entries may be removed now that the heads are raised: below them, and below whatever floor or start there is by now.
    /// </summary>
    public async Task<Offset[]> LimitsAsync(TrimPlan plan, IReadOnlyList<ShardState> raised, HeldHere held, CancellationToken cancellationToken)
    {
        Offset[] limits = [.. raised.Select(shard => shard.Head)];
        if (plan.Topic.Settings.Retention == Retention.AfterTime || runtime.Breaks(BrokenRules.NoRegistryReread))
        {
            return limits;
        }

        var readers = await _readers.ReadAsync(plan.Topic.Name, cancellationToken);
        var floors = await FloorsAsync(plan.Topic, readers, held, cancellationToken);
        for (var n = 0; n < limits.Length; n++)
        {
            if (TrimDecision.Lowest(floors[n]) is { } lowest && lowest < limits[n])
            {
                limits[n] = lowest;
            }
        }

        return limits;
    }

    private async Task<(IReadOnlyList<TopicReaderView> Readers, Position[][] Floors)> ReadAsync(
        TopicSnapshot topic, HeldHere held, CancellationToken cancellationToken)
    {
        var readers = await _readers.ReadAsync(topic.Name, cancellationToken);
        var floors = await FloorsAsync(topic, readers, held, cancellationToken);
        if (runtime.Breaks(BrokenRules.NoRegistryReread))
        {
            return (readers, floors);
        }

        // Whoever is missing here as well was declared after all those floors were read, and has no claim on what lies below them.
        var known = readers.Select(reader => (reader.Name, reader.Incarnation)).ToHashSet();
        TopicReaderView[] added = [.. (await _readers.ReadAsync(topic.Name, cancellationToken)).Where(reader => !known.Contains((reader.Name, reader.Incarnation)))];
        if (added.Length == 0)
        {
            return (readers, floors);
        }

        var addedFloors = await FloorsAsync(topic, added, held, cancellationToken);
        return ([.. readers, .. added], [.. floors.Select((known, n) => (Position[])[.. known, .. addedFloors[n]])]);
    }

    /// <summary>What is stored; of a temporary subscription that is held here, what its holder has in memory: it stores that seldom, and promises nothing.</summary>
    private async Task<Position[][]> FloorsAsync(
        TopicSnapshot topic, IReadOnlyList<TopicReaderView> readers, HeldHere held, CancellationToken cancellationToken)
    {
        var floors = await _readers.ReadFloorsAsync(topic, readers, cancellationToken);
        var isBroken = runtime.Breaks(BrokenRules.SettleBeforeWrite);
        for (var r = 0; r < readers.Count; r++)
        {
            if (readers[r].Session is not null || isBroken)
            {
                for (var n = 0; n < floors.Length; n++)
                {
                    floors[n][r] = Position.Max(floors[n][r], held.FloorOf(readers[r], new ShardId(topic.Name, n)) ?? Position.Beginning);
                }
            }
        }

        return floors;
    }

    /// <summary>The place of the lowest floor; the first among equals.</summary>
    private static int LowestOf(Position[] floors)
    {
        var lowest = 0;
        for (var i = 1; i < floors.Length; i++)
        {
            lowest = floors[i].Offset < floors[lowest].Offset ? i : lowest;
        }

        return lowest;
    }

    private long Cutoff(RetentionRule rule) => runtime.UnixMilliseconds - (long)rule.MaxAge!.Value.TotalMilliseconds;
}

namespace Pub.Topology;

/// <summary>
/// What flows into a set of topics, directly or over others, as read at one moment. Pure: cycles are allowed, every topic counts once.
/// </summary>
/// <param name="documents">The topology of every topic that can be reached; one without a document has no flows.</param>
internal sealed class FlowGraph(IReadOnlyDictionary<string, TopicTopologyDocument> documents)
{
    /// <summary>The subscriptions that declare any of the topics.</summary>
    public IEnumerable<string> Readers => documents.Values.SelectMany(document => document.Readers).Select(reader => reader.Subscription);

    /// <summary>The topic and everything that flows into it, each once.</summary>
    public IReadOnlyCollection<string> Upstream(string topic)
    {
        var reached = new SortedSet<string>(StringComparer.Ordinal) { topic };
        var open = new Stack<string>();
        open.Push(topic);
        while (open.TryPop(out var next))
        {
            foreach (var flow in FlowsInto(next))
            {
                if (reached.Add(flow.Topic))
                {
                    open.Push(flow.Topic);
                }
            }
        }

        return reached;
    }

    /// <summary>What a subscription reads: the declared topics and what flows into them.</summary>
    public SubscriptionView View(SubscriptionDocument record)
    {
        var roots = RootsOf(record.Topics.Where(line => !line.ByFlow).Select(line => line.Topic));
        var sources = roots.Select(pair => new SubscriptionSource(
            TopicName.Parse(pair.Key),
            StartsOf(record, pair.Key, roots.Keys),
            [.. pair.Value.Select(TopicName.Parse)]));
        return new SubscriptionView(SubscriptionName.Parse(record.Name), record.Incarnation, record.Leases, record.Session, [.. sources]) { Edits = record.Edits };
    }

    /// <summary>By topic that is read, the declared topics through which it is.</summary>
    public SortedDictionary<string, SortedSet<string>> RootsOf(IEnumerable<string> declared)
    {
        var roots = new SortedDictionary<string, SortedSet<string>>(StringComparer.Ordinal);
        foreach (var root in declared)
        {
            foreach (var topic in Upstream(root))
            {
                if (!roots.TryGetValue(topic, out var through))
                {
                    roots.Add(topic, through = new SortedSet<string>(StringComparer.Ordinal));
                }

                through.Add(root);
            }
        }

        return roots;
    }

    /// <summary>The record's own start, else the earliest among the flows that lead into what is read.</summary>
    private IReadOnlyList<Position> StartsOf(SubscriptionDocument record, string topic, IEnumerable<string> read)
    {
        if (record.Find(topic) is { } line)
        {
            return StoredPositions.Read($"{record.Name} on {topic}", line.Starts);
        }

        IReadOnlyList<Position>? earliest = null;
        foreach (var into in read)
        {
            foreach (var flow in FlowsInto(into))
            {
                if (flow.Topic == topic)
                {
                    var starts = StoredPositions.Read($"the flow from {topic} into {into}", flow.Starts);
                    earliest = earliest is null ? starts : StoredPositions.Earliest(earliest, starts);
                }
            }
        }

        return earliest ?? [];
    }

    private IReadOnlyList<TopicFlow> FlowsInto(string topic) => documents.TryGetValue(topic, out var document) ? document.From : [];
}

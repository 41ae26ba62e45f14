namespace Pub.Topology;

/// <summary>A subscription as the registry has it at one moment: what is read, and from where if there is no cursor. Immutable.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Incarnation">Part of the keys of its cursors and of its assignment; another one after every deletion.</param>
/// <param name="LeaseCount">16, or 1 for a temporary subscription.</param>
/// <param name="TemporarySession">The session that a temporary subscription lives with.</param>
/// <param name="Sources">Every topic that is read, declared or by way of a flow, its own queue among them; each once, ordered by name.</param>
internal sealed record SubscriptionView(
    SubscriptionName Name,
    string Incarnation,
    int LeaseCount,
    string? TemporarySession,
    IReadOnlyList<SubscriptionSource> Sources)
{
    /// <summary>Counts the edits of its cursors from outside (rewinds, purges, requeues): whoever holds leases looks at their cursors when it rises.</summary>
    public long Edits { get; init; }

    public bool IsTemporary => TemporarySession is not null;

    /// <summary>
    /// What an instance reads that declares only these topics: them, what flows into them, and the own queue. What no running instance declares waits.
    /// </summary>
    public SubscriptionView ReadBy(IReadOnlyCollection<TopicName> declared) => this with
    {
        Sources = [.. Sources.Where(source => source.Topic == Name.OwnQueue || source.Roots.Any(declared.Contains))],
    };

    /// <summary>Whether a reader of one has nothing to change for the other.</summary>
    public bool SameAs(SubscriptionView other) =>
        Name == other.Name && Incarnation == other.Incarnation && Edits == other.Edits && Sources.Count == other.Sources.Count
        && Sources.Zip(other.Sources).All(pair => pair.First.SameAs(pair.Second));
}

/// <summary>One topic that a subscription reads.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Starts">Where each shard starts when no cursor says otherwise; not clamped to head. Shards beyond start at their first entry.</param>
/// <param name="Roots">The declared topics through which it is read: itself, or those that it flows into.</param>
internal sealed record SubscriptionSource(TopicName Topic, IReadOnlyList<Position> Starts, IReadOnlyList<TopicName> Roots)
{
    /// <summary>The start of a shard; one that was added later starts at its first entry. The reader clamps it to head.</summary>
    public Position StartOf(int shard) => shard < Starts.Count ? Starts[shard] : Position.Beginning;

    public bool SameAs(SubscriptionSource other) =>
        Topic == other.Topic && Starts.SequenceEqual(other.Starts) && Roots.SequenceEqual(other.Roots);
}

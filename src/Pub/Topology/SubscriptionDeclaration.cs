namespace Pub.Topology;

/// <summary>
/// What an instance wants of a subscription. The first declaration of a name makes it; later ones may add topics, and take none away.
/// </summary>
internal sealed record SubscriptionDeclaration(SubscriptionName Name)
{
    /// <summary>The topics it reads, without its own queue, which is always part of it.</summary>
    public IReadOnlyList<DeclaredTopic> Topics { get; init; } = [];

    /// <summary>The session that a temporary subscription lives and dies with; null for a durable one. Temporary: 1 lease, nothing durable.</summary>
    public string? TemporarySession { get; init; }

    public bool IsTemporary => TemporarySession is not null;

    public int LeaseCount => IsTemporary ? 1 : 16;
}

/// <summary>A topic that a subscription reads, and where it begins if it does not read it yet.</summary>
internal readonly record struct DeclaredTopic(TopicName Topic, StartAt Start = default);

namespace Pub;

/// <summary>A topic or queue at one moment.</summary>
public sealed record TopicDescription
{
    /// <summary>Its name.</summary>
    public required TopicName Name { get; init; }

    /// <summary>Its settings, with the number of shards it has now.</summary>
    public required TopicSettings Settings { get; init; }

    /// <summary>When it was made, by its maker's clock.</summary>
    public DateTimeOffset Created { get; init; }

    /// <summary>Whether it belongs to a temporary endpoint.</summary>
    public bool IsTemporary { get; init; }

    /// <summary>Its shards, by number.</summary>
    public required IReadOnlyList<ShardDescription> Shards { get; init; }

    /// <summary>The subscriptions that read it, directly or because it flows into what they read, by name.</summary>
    public required IReadOnlyList<SubscriptionName> Readers { get; init; }

    /// <summary>The topics whose readers read this one too.</summary>
    public required IReadOnlyList<TopicName> FlowsInto { get; init; }

    /// <summary>The topics that this one's readers read too.</summary>
    public required IReadOnlyList<TopicName> FlowsFrom { get; init; }
}

/// <summary>One shard of a topic.</summary>
/// <param name="Number">Its number, from 0.</param>
/// <param name="Tail">The last offset handed out.</param>
/// <param name="Head">Below it nothing counts.</param>
/// <param name="Removed">Below it everything is removed.</param>
/// <param name="OldestAge">Age of the oldest entry that counts, by its publisher's clock; null if there is none.</param>
/// <param name="IsHeldBack">Whether readers wait until they are past what the shard's keys had before shards were added.</param>
public sealed record ShardDescription(int Number, Offset Tail, Offset Head, Offset Removed, TimeSpan? OldestAge, bool IsHeldBack);

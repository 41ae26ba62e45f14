namespace Pub;

/// <summary>One log: a topic and the number of its shard, from 0.</summary>
public readonly record struct ShardId(TopicName Topic, int Number)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Topic}/{Number}";
}

/// <summary>One message's place in the store.</summary>
public readonly record struct MessagePlace(ShardId Shard, Position Position)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Shard}/{Position}";
}

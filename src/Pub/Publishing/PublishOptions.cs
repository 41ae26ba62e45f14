namespace Pub;

/// <summary>How one publish differs from the usual one.</summary>
public readonly record struct PublishOptions
{
    private readonly int _shardPlusOne;

    /// <summary>The shard to append to, from 0; null, the default, leaves it to the message's key or, without a key, to the producer.</summary>
    public int? Shard
    {
        get => _shardPlusOne == 0 ? null : _shardPlusOne - 1;
        init
        {
            if (value is { } shard)
            {
                ArgumentOutOfRangeException.ThrowIfNegative(shard, nameof(Shard));
                ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(shard, TopicSettings.MaxShards, nameof(Shard));
                _shardPlusOne = shard + 1;
            }
        }
    }

    /// <summary>Creates nothing: a message to a topic that does not exist is dropped, and the result says so. For the addresses of temporary endpoints.</summary>
    public bool OnlyIfExists { get; init; }
}

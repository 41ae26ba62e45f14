namespace Pub;

/// <summary>When a topic's entries may go.</summary>
public enum Retention
{
    /// <summary>Once every subscription of the topic has settled them.</summary>
    WhenSettled,

    /// <summary>Once they are older than <see cref="TopicSettings.RetentionTime"/>, settled or not. Not allowed for queues.</summary>
    AfterTime,

    /// <summary>Once every subscription has settled them and they are older than <see cref="TopicSettings.RetentionTime"/>: what is kept can be replayed.</summary>
    WhenSettledAndAfterTime,
}

/// <summary>
/// What is fixed when a topic is created. The first to create it decides; who asks for something else gets what there is, and a warning is
/// logged once with both values.
/// </summary>
public sealed record TopicSettings
{
    /// <summary>The most shards that a topic can have.</summary>
    public const int MaxShards = 1024;

    /// <summary>The settings of a topic of which nobody asked for others: 16 shards, entries go when settled.</summary>
    public static TopicSettings Default { get; } = new();

    /// <summary>
    /// Number of shards: a power of two from 1 to 1024; default 16. Each is a log of its own and the unit of order; more shards take more appends
    /// and more instances at a time, and each costs a cursor line and a counter.
    /// </summary>
    public int Shards { get; init; } = 16;

    /// <summary>When entries may go; default <see cref="Retention.WhenSettled"/>.</summary>
    public Retention Retention { get; init; }

    /// <summary>
    /// How old entries get; required with <see cref="Retention.AfterTime"/> and <see cref="Retention.WhenSettledAndAfterTime"/>, from one second,
    /// and not allowed with <see cref="Retention.WhenSettled"/>.
    /// </summary>
    public TimeSpan? RetentionTime { get; init; }

    /// <summary>Checks everything; names each fault with what is allowed.</summary>
    /// <exception cref="ArgumentException">A value is not allowed.</exception>
    internal void Validate(TopicName topic)
    {
        var faults = new List<string>();
        if (Shards is < 1 or > MaxShards || !int.IsPow2(Shards))
        {
            faults.Add($"Shards is {Shards}; allowed are powers of two from 1 to {MaxShards}.");
        }

        if (!Enum.IsDefined(Retention))
        {
            faults.Add($"Retention is {Retention}; allowed are {string.Join(", ", Enum.GetNames<Retention>())}.");
        }

        if (Retention == Retention.WhenSettled ? RetentionTime is not null : RetentionTime is null || RetentionTime < TimeSpan.FromSeconds(1))
        {
            faults.Add($"RetentionTime is {RetentionTime?.ToString() ?? "not set"}; with Retention.{Retention} it must "
                + (Retention == Retention.WhenSettled ? "not be set." : "be at least one second."));
        }

        if (Retention == Retention.AfterTime && topic.Kind != TopicKind.Topic)
        {
            faults.Add("Retention is AfterTime; a queue forgets nothing by age, use WhenSettled or WhenSettledAndAfterTime.");
        }

        if (faults.Count > 0)
        {
            throw new ArgumentException($"The settings of {topic} cannot be used. {string.Join(' ', faults)}");
        }
    }
}

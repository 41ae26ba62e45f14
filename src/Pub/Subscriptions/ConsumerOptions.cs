namespace Pub;

/// <summary>
/// What one consumer reads and how. Checked once, when the consumer is made; every fault is named with the allowed values.
/// </summary>
public sealed class ConsumerOptions
{
    /// <summary>The topics that the subscription reads besides its own queue, each with where a new subscription starts. Default: none.</summary>
    public IList<TopicSource> Topics { get; } = [];

    /// <summary>The most messages read ahead and in flight, over all shards; 1 to 100,000, default 1,000. Costs their memory.</summary>
    public int Prefetch { get; set; } = 1_000;

    /// <summary>The most bytes of entries read ahead and in flight; 64 KB to 1 GB, default 32 MB. Exceeded by at most one fetch of each lease.</summary>
    public long PrefetchBytes { get; set; } = 32 * 1024 * 1024;

    /// <summary>How many messages a handler gets at a time; 1 to 10,000, default 16. Messages with the same key always run one after another.</summary>
    public int Concurrency { get; set; } = 16;

    /// <summary>After so many deliveries a message goes to the dead-letter queue; 1 to 1,000, default 10.</summary>
    public int MaxDeliveries { get; set; } = 10;

    /// <summary>How long a message waits after its handler failed; 0 to 1 day, default 0: at once. With a delay it is written to the subscription's own queue.</summary>
    public TimeSpan RedeliveryDelay { get; set; }

    /// <summary>
    /// Whether later messages of its key wait for a message that was nacked with a delay; default false: they may overtake it. The message stays where it is
    /// then, for as long as the lease does; a hold ends early when 100 messages of the key, or half of <see cref="Prefetch"/> in all, wait behind holds.
    /// </summary>
    public bool HoldKey { get; set; }

    /// <summary>The queue that takes dead letters. Default: the subscription's name with <c>_dead</c>.</summary>
    public string? DeadLetterQueue { get; set; }

    /// <summary>Whether messages past their time to live go to the dead-letter queue; default false: they are settled without delivery.</summary>
    public bool DeadLetterExpired { get; set; }

    /// <summary>How long a stop waits for handlers before it cancels them; 0 to 1 hour, default 30 s.</summary>
    public TimeSpan StopPatience { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Belongs to this process alone: one lease, nothing durable, no cursor; gone with its session. What is published while it is down is not received.
    /// </summary>
    public bool IsTemporary { get; set; }

    /// <summary>Adds a topic to read.</summary>
    public ConsumerOptions Read(TopicName topic, StartAt start = default)
    {
        Topics.Add(new TopicSource(topic, start));
        return this;
    }

    /// <summary>All faults in one message; null if there is none.</summary>
    internal string? FindFaults()
    {
        var faults = new List<string>();
        Check(Prefetch is >= 1 and <= 100_000, $"Prefetch is {Prefetch}; allowed are 1 to 100000.");
        Check(PrefetchBytes is >= 65_536 and <= 1 << 30, $"PrefetchBytes is {PrefetchBytes}; allowed are 65536 to {1 << 30}.");
        Check(Concurrency is >= 1 and <= 10_000, $"Concurrency is {Concurrency}; allowed are 1 to 10000.");
        Check(MaxDeliveries is >= 1 and <= 1_000, $"MaxDeliveries is {MaxDeliveries}; allowed are 1 to 1000.");
        Check(RedeliveryDelay >= TimeSpan.Zero && RedeliveryDelay <= TimeSpan.FromDays(1), $"RedeliveryDelay is {RedeliveryDelay}; allowed are 0 to one day.");
        Check(StopPatience >= TimeSpan.Zero && StopPatience <= TimeSpan.FromHours(1), $"StopPatience is {StopPatience}; allowed are 0 to one hour.");
        foreach (var topics in Topics.GroupBy(source => source.Topic))
        {
            Check(topics.Count() == 1, $"Topics names {topics.Key} {topics.Count()} times.");
            Check(topics.Key.Kind == TopicKind.Topic, $"Topics names {topics.Key}; a subscription reads topics, and its own queue without being told.");
        }

        if (DeadLetterQueue is { } queue)
        {
            try
            {
                NameRules.Check(queue, nameof(DeadLetterQueue));
            }
            catch (ArgumentException e)
            {
                faults.Add(e.Message);
            }
        }

        return faults.Count == 0 ? null : string.Join(' ', faults);

        void Check(bool isAllowed, string fault)
        {
            if (!isAllowed)
            {
                faults.Add(fault);
            }
        }
    }

    internal TopicName DeadLetterQueueOf(SubscriptionName subscription) =>
        TopicName.Queue(DeadLetterQueue ?? (NameRules.Fits(subscription.Name + "_dead") ? subscription.Name + "_dead" : NameRules.Hidden(subscription.Name) + "_dead"));
}

/// <summary>A topic that a subscription reads, and where the subscription starts there if it does not read it yet.</summary>
public readonly record struct TopicSource(TopicName Topic, StartAt Start = default);

using Pub;

namespace MassTransit.PubTransport.Configuration;

/// <summary>What Pub needs to know of one receive endpoint; the defaults are those of <see cref="ConsumerOptions"/>.</summary>
internal sealed class PubReceiveSettings(string queueName)
{
    private static readonly ConsumerOptions Defaults = new();

    public string QueueName { get; set; } = queueName;

    public bool IsTemporary { get; set; }

    public long PrefetchBytes { get; set; } = Defaults.PrefetchBytes;

    public int MaxDeliveryCount { get; set; } = Defaults.MaxDeliveries;

    public TimeSpan UnlockDelay { get; set; } = Defaults.RedeliveryDelay;

    public bool DeadLetterExpiredMessages { get; set; }

    public bool PurgeOnStartup { get; set; }

    public bool DispatchKeyRuns { get; set; }

    public StartAt Start { get; set; }
}

using Pub;

namespace MassTransit.PubTransport.Configuration;

/// <summary>The options of an endpoint's consumer.</summary>
internal static class ConsumerSetup
{
    private static readonly TimeSpan DefaultStopPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan MaxStopPatience = TimeSpan.FromHours(1);

    /// <summary>As many handlers as may be in flight: a batch consumer needs all messages of its batches dispatched (facts, 1.6).</summary>
    public static int ConcurrencyOf(int prefetchCount, int? concurrentMessageLimit) => Math.Min(concurrentMessageLimit ?? prefetchCount, 10_000);

    public static void Apply(ConsumerOptions options, PubReceiveSettings settings, int prefetchCount, int? concurrentMessageLimit, TimeSpan? stopTimeout)
    {
        options.Prefetch = prefetchCount;
        options.Concurrency = ConcurrencyOf(prefetchCount, concurrentMessageLimit);
        options.PrefetchBytes = settings.PrefetchBytes;
        options.MaxDeliveries = settings.MaxDeliveryCount;
        options.RedeliveryDelay = settings.UnlockDelay;
        options.DeadLetterExpired = settings.DeadLetterExpiredMessages;
        options.IsTemporary = settings.IsTemporary;
        var patience = stopTimeout ?? DefaultStopPatience;
        options.StopPatience = patience < TimeSpan.Zero || patience > MaxStopPatience ? MaxStopPatience : patience;
    }
}

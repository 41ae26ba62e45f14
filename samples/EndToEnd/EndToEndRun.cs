using Pub;

namespace EndToEnd;

/// <summary>
/// One run: subscribes, publishes and consumes at the same time, and ends when the consumers have found nothing more. All runs on a store share a topic;
/// each has a subscription of its own, so that several at once each see all of their events.
/// </summary>
internal sealed class EndToEndRun(PubClient pub, Settings settings)
{
    private static readonly TopicName Topic = TopicName.Topic("end-to-end");

    private readonly string _run = $"{DateTime.UtcNow:yyyyMMdd-HHmmss}-{Guid.NewGuid().ToString("N")[..8]}";

    public Tally Tally { get; } = new(settings.EventsOfRun);

    private SubscriptionName Subscription => SubscriptionName.Plain($"end-to-end-{_run}");

    /// <exception cref="PubException">The store failed.</exception>
    /// <exception cref="OperationCanceledException">Interrupted.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var consumer = await pub.SubscribeAsync(Subscription, options => options.Read(Topic), cancellationToken);
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var publishing = new EventPublisher(pub.Producer, Topic, _run, settings, Tally).RunAsync(failed.Token);
        var consuming = Enumerable.Range(0, TopicSettings.Default.Shards)
            .Select(shard => new EventConsumer(consumer, new ShardId(Topic, shard), _run, settings, Tally, publishing).RunAsync(failed.Token))
            .ToArray();
        try
        {
            await Task.WhenAll([publishing, .. consuming]);
            cancellationToken.ThrowIfCancellationRequested();
        }
        finally
        {
            await failed.CancelAsync();
            await consumer.StopAsync();
        }
    }
}

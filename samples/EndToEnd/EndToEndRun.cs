using Pub;

namespace EndToEnd;

/// <summary>
/// One run: subscribes, publishes and consumes at the same time, and ends when the consumers have found nothing more. All runs on a store share a topic;
/// each has a subscription of its own, so that several at once each see all of their events.
/// </summary>
internal sealed class EndToEndRun(PubClient pub, Settings settings)
{
    private const string SubscriptionPrefix = "end-to-end-";
    private static readonly TopicName Topic = TopicName.Topic("end-to-end");

    private readonly SubscriptionName _subscription = FormerRuns.NewName(SubscriptionPrefix);

    public Tally Tally { get; } = new(settings.EventsOfRun);

    /// <exception cref="PubException">The store failed.</exception>
    /// <exception cref="OperationCanceledException">Interrupted.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await pub.Controller.CreateAsync(Topic, cancellationToken: cancellationToken);
        var former = new FormerRuns(pub.Controller);
        await former.FindAsync(SubscriptionPrefix, cancellationToken);
        try
        {
            var consumer = await pub.SubscribeAsync(_subscription, options => options.Read(Topic), cancellationToken);
            await PublishAndConsumeAsync(consumer, cancellationToken);
            await former.RemoveDeadAsync(cancellationToken);
        }
        finally
        {
            await RemoveSubscriptionAsync();
        }
    }

    private async Task PublishAndConsumeAsync(Consumer consumer, CancellationToken cancellationToken)
    {
        var shards = (await pub.Controller.DescribeAsync(Topic, cancellationToken)).Shards;
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var run = _subscription.Name;
        var publishing = new EventPublisher(pub.Producer, Topic, run, settings, Tally).RunAsync(failed.Token);
        var consuming = shards
            .Select(shard => new EventConsumer(consumer, new ShardId(Topic, shard.Number), run, settings, Tally, publishing).RunAsync(failed.Token))
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

    private async Task RemoveSubscriptionAsync()
    {
        try
        {
            await FormerRuns.RemoveAsync(pub.Controller, _subscription);
        }
        catch (PubException)
        {
            // What made the store fail is told elsewhere; a later run removes the subscription.
        }
    }
}

using Pub;

namespace EndToEnd;

/// <summary>
/// Pulls the events of one shard in batches, until publishing has ended and so many pulls in a row waited a second, found nothing, and left no lag.
/// </summary>
internal sealed class EventConsumer(Consumer consumer, ShardId shard, string run, Settings settings, Tally tally, Task publishing)
{
    private static readonly TimeSpan PullWait = TimeSpan.FromSeconds(1);

    /// <summary>With lag, but nothing published and nothing received for so long: what is missing does not come any more.</summary>
    private static readonly TimeSpan LongestQuiet = TimeSpan.FromSeconds(60);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var empty = 0;
        while (empty < settings.ConsumerMaxEmptyCount && !(publishing.IsCompleted && tally.Quiet > LongestQuiet))
        {
            var isPublished = publishing.IsCompleted;
            var batch = await consumer.PullAsync(shard, settings.ConsumerBatchSize, PullWait, cancellationToken);
            foreach (var delivery in batch)
            {
                Receive(delivery.Message);
                delivery.Ack();
            }

            empty = batch.Count == 0 && isPublished && tally.LagOf(shard.Number) == 0 ? empty + 1 : 0;
        }
    }

    private void Receive(Message message)
    {
        if (Event.From(message) is { } item && item.Run == run)
        {
            tally.ReceivedAt(shard.Number, item.Number);
        }
        else
        {
            tally.ReceivedForeign();
        }
    }
}

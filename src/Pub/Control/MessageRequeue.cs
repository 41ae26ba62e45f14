using Pub.Subscriptions;
using Pub.Topology;

namespace Pub.Control;

/// <summary>
/// Takes unsettled messages out of a queue and publishes them again, with their ids: first the copy, durably, then the edit of the cursor. A crash in
/// between leaves the message in both places; it is never in none. Holds no state.
/// </summary>
internal sealed class MessageRequeue(ControlContext context, ProgressReader progress, MessageBrowser browser, CursorRewind cursors)
{
    /// <summary>Messages published between two edits: the most that a crash can double.</summary>
    private const int BatchSize = 100;

    private readonly RequeueTargets _targets = new(context);

    public async Task<RequeueResult> RequeueAsync(SubscriptionView view, RequeueRequest request, CancellationToken cancellationToken)
    {
        var (requeued, left) = (0, 0);
        var ids = request.Ids?.ToHashSet(StringComparer.Ordinal);
        var batch = new List<(StoredMessage Message, TopicName Target)>(BatchSize);
        foreach (var shard in await progress.ReadAsync(view, cancellationToken))
        {
            if (requeued + batch.Count >= request.MaxMessages)
            {
                break;
            }

            await foreach (var message in browser.ReadUnsettledAsync(shard, cancellationToken))
            {
                if (requeued + batch.Count >= request.MaxMessages)
                {
                    break;
                }

                if ((ids is null || ids.Contains(message.Message.Id)) && (request.Where is null || request.Where(message)))
                {
                    if (await _targets.FindAsync(message.Message, request.Target, cancellationToken) is not { } target)
                    {
                        left++;
                        continue;
                    }

                    batch.Add((message, target));
                    if (batch.Count == BatchSize)
                    {
                        requeued += await MoveAsync(view, batch, cancellationToken);
                    }
                }
            }
        }

        requeued += await MoveAsync(view, batch, cancellationToken);
        return new RequeueResult(requeued, left);
    }

    private async Task<int> MoveAsync(SubscriptionView view, List<(StoredMessage Message, TopicName Target)> batch, CancellationToken cancellationToken)
    {
        if (batch.Count == 0)
        {
            return 0;
        }

        cancellationToken.ThrowIfCancellationRequested();
        var ranges = new Dictionary<ShardId, List<PositionRange>>();
        foreach (var sameTarget in batch.GroupBy(line => line.Target))
        {
            await context.Producer.PublishAsync(sameTarget.Key, [.. sameTarget.Select(line => Copy(line.Message))], CancellationToken.None);
        }

        foreach (var (message, _) in batch)
        {
            if (!ranges.TryGetValue(message.Place.Shard, out var ofShard))
            {
                ranges.Add(message.Place.Shard, ofShard = []);
            }

            ofShard.Add(new PositionRange(message.Place.Position, message.End));
        }

        // What is published is settled, also when the caller has given up by now.
        await cursors.SettleAsync(view, ranges, CancellationToken.None);
        var count = batch.Count;
        batch.Clear();
        return count;
    }

    /// <summary>The message as it first was: what Pub noted when it was set aside is left out, so that it begins anew.</summary>
    private static OutgoingMessage Copy(StoredMessage stored) =>
        stored.Message.ToOutgoing(stored.Message.Headers.Where(header => !PubHeaders.IsOwn(header.Key)).ToDictionary());
}

using Pub.Topology;

namespace Pub;

/// <summary>Messages and where subscriptions stand: peek, requeue, purge, rewind.</summary>
public sealed partial class Controller
{
    /// <summary>The messages of a shard from a position on, whatever any subscription has settled of them.</summary>
    /// <param name="shard">The shard.</param>
    /// <param name="from">Where to begin; below the head is the head.</param>
    /// <param name="limit">The most messages, 1 to 10,000.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="ArgumentOutOfRangeException">The topic has no such shard.</exception>
    /// <exception cref="NotFoundException">There is no such topic.</exception>
    public async Task<IReadOnlyList<StoredMessage>> PeekAsync(ShardId shard, Position from, int limit = 100, CancellationToken cancellationToken = default)
    {
        CheckPeek(limit);
        ArgumentOutOfRangeException.ThrowIfNegative(shard.Number, nameof(shard));
        var topic = await _context.TopicAsync(Checked(shard.Topic), cancellationToken);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(shard.Number, topic.ShardCount, nameof(shard));
        var state = topic[shard.Number];
        var begin = Position.Max(from, Position.StartOf(state.Head));
        return await TakeAsync(_browser.ReadAsync(shard, state, begin, Position.EndOf(state.Last), cancellationToken), limit);
    }

    /// <summary>Messages that a subscription has not settled, shard by shard. A running consumer may be working on them.</summary>
    /// <param name="subscription">The subscription, or a queue's.</param>
    /// <param name="limit">The most messages, 1 to 10,000.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="NotFoundException">There is no such subscription.</exception>
    public async Task<IReadOnlyList<StoredMessage>> PeekAsync(SubscriptionName subscription, int limit = 100, CancellationToken cancellationToken = default)
    {
        CheckPeek(limit);
        var view = await _context.SubscriptionAsync(Checked(subscription), cancellationToken);
        var messages = new List<StoredMessage>();
        foreach (var shard in await _progress.ReadAsync(view, cancellationToken))
        {
            if (messages.Count == limit)
            {
                break;
            }

            messages.AddRange(await TakeAsync(_browser.ReadUnsettledAsync(shard, cancellationToken), limit - messages.Count));
        }

        return messages;
    }

    /// <summary>
    /// Takes unsettled messages out of a queue, mostly one of dead letters, and publishes them again with their ids: one, some or all, each to where it
    /// came from or to a named target. A crash in between doubles at most 100 messages and loses none.
    /// </summary>
    /// <exception cref="NotFoundException">There is no such queue.</exception>
    public async Task<RequeueResult> RequeueAsync(SubscriptionName queue, RequeueRequest? request = null, CancellationToken cancellationToken = default)
    {
        request ??= new RequeueRequest();
        request.Check();
        return await _requeue.RequeueAsync(await _context.SubscriptionAsync(Checked(queue), cancellationToken), request, cancellationToken);
    }

    /// <summary>Settles everything that a subscription, or a queue's, has not settled: all that is published until this begins.</summary>
    /// <exception cref="NotFoundException">There is no such subscription.</exception>
    public Task PurgeAsync(SubscriptionName subscription, CancellationToken cancellationToken = default) =>
        RewindAsync(subscription, StartAt.Tail, cancellationToken: cancellationToken);

    /// <summary>
    /// Sets where a subscription stands, back or forward, while it runs: to the beginning, the end, a time, or for one topic to a position per shard.
    /// Below a topic's head is the head. Handlers at work are cancelled, and what they settle is not counted.
    /// </summary>
    /// <param name="subscription">The subscription, or a queue's.</param>
    /// <param name="to">Where to.</param>
    /// <param name="topic">Only in this topic; null, the default, for all it reads. Required with positions.</param>
    /// <param name="cancellationToken">Ends the command between two leases; give it again to complete it.</param>
    /// <returns>By shard where it stands now.</returns>
    /// <exception cref="ArgumentException">Positions without a topic, or their number is not that of its shards.</exception>
    /// <exception cref="NotFoundException">There is no such subscription, or it does not read the topic.</exception>
    public async Task<IReadOnlyDictionary<ShardId, Position>> RewindAsync(
        SubscriptionName subscription, StartAt to, TopicName? topic = null, CancellationToken cancellationToken = default)
    {
        if (to.Kind == StartKind.Positions && topic is null)
        {
            throw new ArgumentException("Positions are those of one topic: name it.", nameof(topic));
        }

        var view = await _context.SubscriptionAsync(Checked(subscription), cancellationToken);
        SubscriptionSource[] sources = [.. view.Sources.Where(source => topic is null || source.Topic == topic)];
        return sources.Length > 0
            ? await _cursors.SetAsync(view, sources, to, cancellationToken)
            : throw new NotFoundException($"The subscription {subscription} does not read {topic}.");
    }

    private static async Task<List<StoredMessage>> TakeAsync(IAsyncEnumerable<StoredMessage> messages, int limit)
    {
        var taken = new List<StoredMessage>();
        await foreach (var message in messages)
        {
            taken.Add(message);
            if (taken.Count == limit)
            {
                break;
            }
        }

        return taken;
    }
}

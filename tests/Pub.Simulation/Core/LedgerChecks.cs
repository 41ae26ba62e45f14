namespace Pub.Simulation.Core;

/// <summary>What must hold when everything has drained: invariants 1 to 4, from what publishers were told and what handlers saw.</summary>
internal sealed class LedgerChecks(Ledger ledger, Func<SubscriptionName, string, bool> isDeadLettered)
{
    /// <summary>The confirmed messages that a subscription has not settled yet; none when it has drained.</summary>
    public IEnumerable<string> Missing()
    {
        foreach (var subscription in ledger.Subscriptions.Where(subscription => !subscription.IsDeleted))
        {
            foreach (var message in ledger.Published)
            {
                if (IsPromised(subscription, message) && !IsSettled(subscription, message))
                {
                    yield return $"{message.Id} of {message.Topic} to {subscription} ({ledger.DeliveriesOf(subscription, message.Id).Count} deliveries)";
                }
            }
        }
    }

    public bool AnyMissing() => Missing().Any();

    /// <summary>Invariant 3: without faults each message is delivered once, and once more for each nack.</summary>
    public IEnumerable<string> Repeated()
    {
        foreach (var subscription in ledger.Subscriptions.Where(subscription => subscription is { WasRewound: false, IsDeleted: false }))
        {
            foreach (var message in ledger.Published)
            {
                var deliveries = ledger.DeliveriesOf(subscription, message.Id);
                var again = deliveries.Count(delivery => delivery.End is DeliveryEnd.Nacked or DeliveryEnd.NackedWithDelay or DeliveryEnd.Threw);
                if (deliveries.Count > again + 1)
                {
                    yield return $"Invariant 3: {message.Id} was delivered {deliveries.Count} times to {subscription}, and sent back {again} times.";
                }
            }
        }
    }

    /// <summary>Invariant 4: first deliveries of one key from one publisher begin in the order of publishing.</summary>
    public IEnumerable<string> OutOfOrder()
    {
        var lines = ledger.Published
            .Where(message => message is { Key: not null, State: PublishState.Confirmed })
            .GroupBy(message => (message.Topic, message.Publisher, message.Key))
            .Select(group => group.OrderBy(message => message.Sequence).ToArray())
            .ToArray();
        foreach (var subscription in ledger.Subscriptions)
        {
            foreach (var line in lines)
            {
                PublishRecord? last = null;
                var begun = long.MinValue;
                foreach (var message in line)
                {
                    var deliveries = ledger.DeliveriesOf(subscription, message.Id);
                    if (deliveries.Count == 0 || message.BegunAt <= subscription.SkippedUntil || IsOlder(subscription, message))
                    {
                        continue;
                    }

                    if (deliveries[0].BegunAt < begun)
                    {
                        yield return $"Invariant 4: {message.Id} was first delivered to {subscription} before {last!.Id}, which was confirmed before it was published (key {message.Key}).";
                    }

                    (last, begun) = (message, deliveries[0].BegunAt);
                }
            }
        }
    }

    // What was published before the subscription's start comes by a rewind, or from a former creation's queue, after what came later.
    private static bool IsOlder(SubscriptionRecord subscription, PublishRecord message) =>
        !subscription.ReadsSince.TryGetValue(message.Topic, out var since) || message.BegunAt < since;

    private static bool IsPromised(SubscriptionRecord subscription, PublishRecord message) =>
        message.State == PublishState.Confirmed
        && subscription.ReadsSince.TryGetValue(message.Topic, out var since)
        && message.BegunAt >= since
        && message.BegunAt > subscription.SkippedUntil;

    private bool IsSettled(SubscriptionRecord subscription, PublishRecord message) =>
        ledger.DeliveriesOf(subscription, message.Id).Any(delivery => delivery.End is DeliveryEnd.Acknowledged or DeliveryEnd.DeadLettered)
        || isDeadLettered(subscription.Name, message.Id);
}

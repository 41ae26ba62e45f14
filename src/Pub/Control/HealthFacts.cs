using Pub.Topology;

namespace Pub.Control;

/// <summary>Finds what somebody should look at, over everything listed. Costs some 20 reads a subscription. Holds no state.</summary>
internal sealed class HealthFacts(ControlContext context, SubscriptionAdministration subscriptions)
{
    public async Task<IReadOnlyList<HealthFact>> FindAsync(TimeSpan maxAge, CancellationToken cancellationToken)
    {
        var facts = new List<HealthFact>();
        foreach (var name in await context.Catalog.ListSubscriptionsAsync(cancellationToken))
        {
            await AddAsync(facts, name.ToString(), () => OfSubscriptionAsync(name, maxAge, cancellationToken));
        }

        foreach (var topic in await context.Catalog.ListTopicsAsync(cancellationToken))
        {
            await AddAsync(facts, topic.ToString(), () => OfTopicAsync(topic, cancellationToken));
        }

        return facts;
    }

    private static async Task AddAsync(List<HealthFact> facts, string subject, Func<Task<IReadOnlyList<HealthFact>>> find)
    {
        try
        {
            facts.AddRange(await find());
        }
        catch (DocumentFormatException e)
        {
            facts.Add(new HealthFact(HealthConcern.Unreadable, subject, e.Message, null));
        }
    }

    private async Task<IReadOnlyList<HealthFact>> OfSubscriptionAsync(SubscriptionName name, TimeSpan maxAge, CancellationToken cancellationToken)
    {
        if (await context.Registry.FindAsync(name, cancellationToken) is not { } view)
        {
            return [];
        }

        var description = await subscriptions.DescribeAsync(view, cancellationToken);
        var age = description.OldestUnsettledAge;
        if (description.LagEntries == 0)
        {
            return [];
        }

        if (description.Leases.All(lease => lease.Session is null))
        {
            return [new HealthFact(HealthConcern.NobodyReads, name.ToString(), $"Nobody reads it; {description.LagEntries} entries wait, and its topics keep them.", age)];
        }

        return age > maxAge
            ? [new HealthFact(HealthConcern.OldMessages, name.ToString(), $"{description.LagEntries} entries wait, the oldest for {age}.", age)]
            : [];
    }

    private async Task<IReadOnlyList<HealthFact>> OfTopicAsync(TopicName topic, CancellationToken cancellationToken) =>
        await context.Directory.RefreshAsync(topic, cancellationToken) is { IsClosed: false } found
        && Enumerable.Range(0, found.ShardCount).Any(n => found[n].Fence is { IsPending: true })
            ? [new HealthFact(HealthConcern.UnfinishedShards, topic.ToString(), "Adding shards was cut short: add them again with the same number.", null)]
            : [];
}

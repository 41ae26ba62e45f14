using Pub.Leases;
using Pub.Topics;
using Pub.Topology;

namespace Pub.Control;

/// <summary>Describes subscriptions. Holds no state.</summary>
internal sealed class SubscriptionAdministration(ControlContext context, ProgressReader progress)
{
    public async Task<SubscriptionDescription> DescribeAsync(SubscriptionView view, CancellationToken cancellationToken)
    {
        var shards = await progress.ReadAsync(view, cancellationToken);
        return new SubscriptionDescription
        {
            Name = view.Name,
            Incarnation = view.Incarnation,
            TemporarySession = view.TemporarySession,
            Shards = await Task.WhenAll(shards.Select(shard => DescribeAsync(shard, cancellationToken))),
            Leases = await LeasesAsync(view, cancellationToken),
        };
    }

    private async Task<SubscriptionShardDescription> DescribeAsync(ShardProgress shard, CancellationToken cancellationToken)
    {
        var written = shard.LagEntries == 0
            ? null
            : await context.Times.WrittenAsync(shard.Shard, shard.FirstUnsettled, shard.State.Last.Next, cancellationToken);
        TimeSpan? age = written is { } milliseconds ? context.Runtime.Time.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) : null;
        return new SubscriptionShardDescription(shard.Shard, shard.Line.Floor, shard.Line.Settled.Count, shard.LagEntries, age);
    }

    private async Task<IReadOnlyList<LeaseDescription>> LeasesAsync(SubscriptionView view, CancellationToken cancellationToken)
    {
        var key = DocumentKeys.Assignment(view.Name, view.Incarnation);
        var assignment = LeaseFormats.Assignment.Read(key, await context.Store.GetAsync(key, cancellationToken));
        return [.. Enumerable.Range(0, view.LeaseCount).Select(n => assignment?.Leases.ElementAtOrDefault(n) is { } lease
            ? new LeaseDescription(n, lease.Session, lease.Token)
            : new LeaseDescription(n, null, 0))];
    }
}

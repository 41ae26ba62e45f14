using Pub.Topics;

namespace Pub;

/// <summary>What a health check needs to know about one store in one process.</summary>
public sealed class PubHealth
{
    private readonly PubClient _client;

    internal PubHealth(PubClient client) => _client = client;

    /// <summary>Reads one document of the store, opening it if nobody has, and asks every consumer what keeps its leases from being worked on.</summary>
    /// <param name="cancellationToken">Ends the waiting for the store, with <see cref="OperationCanceledException"/>.</param>
    public async Task<PubHealthReport> CheckAsync(CancellationToken cancellationToken = default)
    {
        Exception? storeFault = null;
        try
        {
            await _client.Core.Store.GetAsync(DocumentKeys.Bells, cancellationToken);
        }
        catch (Exception e) when (e is PubException or ObjectDisposedException)
        {
            storeFault = e;
        }

        return new PubHealthReport(
            storeFault, [.. _client.Consumers.SelectMany(consumer => consumer.Faults.Select(fault => new ConsumerFault(consumer.Subscription, fault)))]);
    }
}

/// <summary>How one store in one process is.</summary>
/// <param name="StoreFault">Why the store could not be read; null if it could.</param>
/// <param name="ConsumerFaults">What keeps leases from being worked on: broken invariants, formats that this program cannot read.</param>
public sealed record PubHealthReport(Exception? StoreFault, IReadOnlyList<ConsumerFault> ConsumerFaults)
{
    /// <summary>Whether there is no fault.</summary>
    public bool IsHealthy => StoreFault is null && ConsumerFaults.Count == 0;
}

/// <summary>A fault of the consumer of a subscription.</summary>
public readonly record struct ConsumerFault(SubscriptionName Subscription, Exception Fault);

using Pub.Storage;

namespace Pub.Leases;

/// <summary>A running instance's sign of life: one per process and named store, new at every start, never resumed once lost.</summary>
internal sealed class Session
{
    public string Id => throw new NotImplementedException();

    /// <summary>Cancelled when the session is no longer good: nothing may be delivered or written in its name from then on.</summary>
    public CancellationToken Lost => throw new NotImplementedException();

    /// <summary>Whether the last good beat is young enough by both clocks. Looks at the clocks itself, and cancels <see cref="Lost"/> if it is not.</summary>
    public bool IsGood => throw new NotImplementedException();

    public static Task<Session> StartAsync(
        IDocumentStore store, PubRuntime runtime, LeaseTimings timings, string name, Microsoft.Extensions.Logging.ILogger logger, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();

    /// <summary>Names a temporary subscription in the document, so that it is removed when the session is dead. Durable when it returns.</summary>
    public Task AddTemporaryAsync(SubscriptionName subscription) => throw new NotImplementedException();

    public Task RemoveTemporaryAsync(SubscriptionName subscription) => throw new NotImplementedException();

    /// <summary>Cancels <see cref="Lost"/>, removes the document and its line in the directory. Stop the lease keepers first.</summary>
    public Task StopAsync() => throw new NotImplementedException();
}

using Microsoft.Extensions.Logging;
using Pub.Storage;

namespace Pub.Leases;

/// <summary>
/// Owns the process's session of one store: makes it, makes a new one when it is lost, and owns the monitor of everybody's. After
/// <see cref="GetAsync"/> watch <see cref="Session.Lost"/>, then call it again.
/// </summary>
internal sealed class SessionKeeper(
    IDocumentStore store, PubRuntime runtime, LeaseTimings timings, string name, ILogger logger, Func<SubscriptionName, string, Task>? removeTemporary = null)
{
    public IDocumentStore Store { get; } = store;

    public PubRuntime Runtime { get; } = runtime;

    public LeaseTimings Timings { get; } = timings;

    public SessionMonitor Monitor { get; } = new();

    /// <summary>The present session, good or not; null before the first one is made.</summary>
    public Session? Current => throw new NotImplementedException(name + logger + removeTemporary);

    /// <summary>Begins. Returns at once; may be called again.</summary>
    public void Start() => throw new NotImplementedException();

    /// <summary>A good session, as soon as there is one.</summary>
    /// <exception cref="ObjectDisposedException">The keeper is stopped.</exception>
    public Task<Session> GetAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Ends the session and removes it from the store. Stop the lease keepers first.</summary>
    public Task StopAsync() => throw new NotImplementedException();
}

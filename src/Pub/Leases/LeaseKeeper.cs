using Microsoft.Extensions.Logging;

namespace Pub.Leases;

/// <summary>
/// Keeps this instance's fair share of one subscription's leases. One per subscription, process and named store: two of one session would take each
/// other's leases for forgotten ones.
/// </summary>
internal sealed class LeaseKeeper(SessionKeeper sessions, LeaseScope scope, ILeaseHolder holder, ILogger logger)
{
    /// <summary>Ends when the subscription's assignment was removed: the subscription is deleted. The leases are lost by then.</summary>
    public Task Gone => throw new NotImplementedException("" + sessions + scope + holder + logger);

    /// <summary>Joins the subscription's members. Returns when the first write has succeeded; what was free is taken by then.</summary>
    public Task StartAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>
    /// Called by the holder when its cursor shows another holder or a higher token. The lease is lost (<see cref="ILeaseHolder.Lose"/> is called), then
    /// the assignment is read; if it still names this session, the lease is claimed anew under a higher token.
    /// </summary>
    public void RequestLose(LeaseGrant grant, string reason) => throw new NotImplementedException();

    /// <summary>
    /// Gives up all leases, leaves the members and releases what has ended within <paramref name="patience"/> with a known outcome. The rest is lost
    /// (<see cref="ILeaseHolder.Lose"/>) and stays in the session's name until somebody claims it.
    /// </summary>
    public Task StopAsync(TimeSpan patience) => throw new NotImplementedException();
}

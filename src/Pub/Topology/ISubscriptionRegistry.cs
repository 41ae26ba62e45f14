namespace Pub.Topology;

/// <summary>Who reads what, and what flows where (docs/decisions/0007-topology.md). One per process and store.</summary>
internal interface ISubscriptionRegistry : IQueueCreation, IAsyncDisposable
{
    /// <summary>
    /// Makes or extends a subscription and repeats both sides of its record, so that a declaration cut short by a crash is completed by the next
    /// (executions.md 22). Call it at every start, before reading. A publish that begins after it has returned is delivered.
    /// </summary>
    /// <returns>The whole subscription; what this instance reads of it is <see cref="SubscriptionView.ReadBy"/>.</returns>
    Task<SubscriptionView> DeclareAsync(SubscriptionDeclaration declaration, CancellationToken cancellationToken = default);

    /// <summary>The subscription as it is stored, or null if there is none.</summary>
    Task<SubscriptionView?> FindAsync(SubscriptionName name, CancellationToken cancellationToken = default);

    /// <summary>
    /// Records that whoever reads <paramref name="into"/> reads <paramref name="from"/> too. Call it before the first publish to
    /// <paramref name="from"/>. Costs nothing once it is known in this process.
    /// </summary>
    Task RecordFlowAsync(TopicName from, TopicName into, CancellationToken cancellationToken = default);

    /// <summary>
    /// Calls back with every new state of a subscription, null when it was deleted, until disposed. One call at a time; the callback must not block.
    /// The state at the time of the call is not told: call it before <see cref="FindAsync"/> or <see cref="DeclareAsync"/>.
    /// </summary>
    IDisposable Watch(SubscriptionName name, Action<SubscriptionView?> changed);

    /// <summary>Removes the subscription, its cursors, its assignment and its own queue. False if there was none.</summary>
    Task<bool> DeleteAsync(SubscriptionName name, CancellationToken cancellationToken = default);

    /// <summary>Removes a temporary subscription if it still is of that session, which was found dead for 10 minutes (executions.md 23).</summary>
    Task RemoveTemporaryAsync(SubscriptionName name, string session, CancellationToken cancellationToken = default);
}

using Pub.Storage;
using Pub.Topics;
using Pub.Topology;

namespace Pub.Trimming;

/// <summary>
/// Removes temporary subscriptions whose session's document has been missing for 10 minutes, in case nobody was there to find the session dead: they
/// would hold the trim of their topics for ever (executions.md 23). Used by one loop.
/// </summary>
internal sealed class OrphanedTemporaries(IDocumentStore store, PubRuntime runtime, ISubscriptionRegistry registry)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private readonly Dictionary<string, long> _missingSince = [];

    public async Task RemoveAsync(IReadOnlyList<TopicReaderView> readers, CancellationToken cancellationToken)
    {
        foreach (var reader in readers)
        {
            if (reader.Session is { } session && await IsOrphanedAsync(session, cancellationToken))
            {
                await registry.RemoveTemporaryAsync(reader.Name, session, cancellationToken);
            }
        }
    }

    private async Task<bool> IsOrphanedAsync(string session, CancellationToken cancellationToken)
    {
        if ((await store.GetAsync(DocumentKeys.Session(session), cancellationToken)).Exists)
        {
            _missingSince.Remove(session);
            return false;
        }

        if (_missingSince.TryGetValue(session, out var since))
        {
            return runtime.Time.GetElapsedTime(since) >= Patience;
        }

        _missingSince.Add(session, runtime.Time.GetTimestamp());
        return false;
    }
}

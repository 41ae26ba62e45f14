using Microsoft.Extensions.Logging;
using Pub.Storage;
using Pub.Topics;

namespace Pub.Leases;

/// <summary>
/// Removes what dead sessions left behind: after <see cref="LeaseTimings.DeadRetention"/>, once no assignment that this instance sees names them,
/// first their temporary subscriptions, then the document, then the line in the directory; so that whoever is interrupted leaves enough for the next.
/// Several instances may do so at once. Belongs to the monitor's loop.
/// </summary>
internal sealed class DeadSessions(
    IDocumentStore store, PubRuntime runtime, LeaseTimings timings, ILogger logger, Func<SubscriptionName, string, Task>? removeTemporary)
{
    private readonly SortedDictionary<string, TimeSpan> _since = new(StringComparer.Ordinal);

    public void Add(string session, TimeSpan now) => _since.TryAdd(session, now);

    public void Keep(IReadOnlySet<string> dead)
    {
        foreach (var gone in _since.Keys.Where(s => !dead.Contains(s)).ToArray())
        {
            _since.Remove(gone);
        }
    }

    public async Task CleanAsync(IReadOnlyList<string> listed, IReadOnlySet<string> named, TimeSpan now)
    {
        foreach (var session in _since.Where(s => now - s.Value >= timings.DeadRetention && !named.Contains(s.Key)).Select(s => s.Key).ToArray())
        {
            try
            {
                await CleanAsync(session, listed.Contains(session));
                _since.Remove(session);
            }
#pragma warning disable CA1031 // one that cannot be cleaned must not keep the others
            catch (Exception e)
#pragma warning restore CA1031
            {
                logger.CleaningFailed(e, session);
            }
        }
    }

    private async Task CleanAsync(string session, bool isListed)
    {
        var key = DocumentKeys.Session(session);
        var document = LeaseFormats.Session.Read(key, await store.GetAsync(key));
        foreach (var temporary in document?.Temporaries ?? [])
        {
            if (removeTemporary is null)
            {
                return;
            }

            await removeTemporary(SubscriptionName.Parse(temporary), session);
        }

        await store.RemoveAsync(key, default, WriteOptions.Synced);
        if (isListed)
        {
            await SessionList.RemoveAsync(store, runtime, session);
        }
    }
}

using Pub.Storage;
using Pub.Topics;

namespace Pub.Leases;

/// <summary>Changes of the directory of sessions.</summary>
internal static class SessionList
{
    public static Task AddAsync(IDocumentStore store, PubRuntime runtime, string session, CancellationToken cancellationToken) =>
        UpdateAsync(store, runtime, d => d.Sessions.Contains(session) ? null : d with { Sessions = [.. d.Sessions, session] }, cancellationToken);

    public static Task RemoveAsync(IDocumentStore store, PubRuntime runtime, string session, CancellationToken cancellationToken = default) =>
        UpdateAsync(store, runtime, d => d.Sessions.Contains(session) ? d with { Sessions = [.. d.Sessions.Where(s => s != session)] } : null, cancellationToken);

    private static Task UpdateAsync(
        IDocumentStore store, PubRuntime runtime, Func<SessionDirectory, SessionDirectory?> change, CancellationToken cancellationToken) =>
        new CasLoop(store, runtime).UpdateAsync(
            DocumentKeys.Sessions, LeaseFormats.Directory, d => change(d ?? new SessionDirectory()), WriteOptions.Synced, cancellationToken: cancellationToken);
}

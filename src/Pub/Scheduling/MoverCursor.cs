using Pub.Storage;
using Pub.Topics;

namespace Pub.Scheduling;

/// <summary>
/// Writes one lease's progress under its token. Owned by the lease's loop.
/// <code>
/// the token is raised above what is stored before anything is moved; a former holder's write fails from then on
/// after a write of unknown outcome the next thing done is another CAS write
/// </code>
/// </summary>
internal sealed class MoverCursor(IDocumentStore store, int lease, long claimToken, string session)
{
    private readonly DocumentKey _key = DocumentKeys.ScheduleMover(lease);
    private Cas _cas;
    private long _token;

    /// <summary>Whether the last write that was tried is known to have happened.</summary>
    public bool IsKnown { get; private set; }

    /// <summary>Takes the document over and answers what the former holder wrote. To be repeated after an exception.</summary>
    /// <exception cref="LeaseLostException">Somebody holds it under a higher token.</exception>
    public async Task<MoverDocument> TakeAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var stored = await store.GetAsync(_key, cancellationToken);
            var document = MoverDocument.Format.Read(_key, stored) ?? new MoverDocument();
            var isMine = document.Token == claimToken && document.Session == session;
            if (!isMine && document.Token >= claimToken)
            {
                // Going above it would let a former holder that was paused take the lease back from the present one.
                throw Lost(document);
            }

            _token = claimToken;
            var next = document with { Token = _token, Session = session };
            var content = MoverDocument.Format.Write(next);
            var result = stored.Exists
                ? await store.ReplaceAsync(_key, content, stored.Cas, WriteOptions.Synced)
                : await store.InsertAsync(_key, content, WriteOptions.Synced);
            if (result.IsApplied)
            {
                _cas = result.Cas;
                IsKnown = true;
                return next;
            }
        }
    }

    /// <summary>Writes what is moved.</summary>
    /// <exception cref="LeaseLostException">Another holder has taken over: stop.</exception>
    public async Task WriteAsync(IReadOnlyList<MoverLine> logs)
    {
        var content = MoverDocument.Format.Write(new MoverDocument { Token = _token, Session = session, Logs = logs });
        var wasKnown = IsKnown;
        IsKnown = false;
        var result = await store.ReplaceAsync(_key, content, _cas, WriteOptions.Synced);
        if (!result.IsApplied)
        {
            var stored = await store.GetAsync(_key);
            var document = MoverDocument.Format.Read(_key, stored);

            // One's own write of unknown outcome has landed after all: write over it.
            if (wasKnown || document is null || document.Token != _token || document.Session != session)
            {
                throw Lost(document ?? new MoverDocument());
            }

            result = await store.ReplaceAsync(_key, content, stored.Cas, WriteOptions.Synced);
            if (!result.IsApplied)
            {
                throw Lost(document);
            }
        }

        _cas = result.Cas;
        IsKnown = true;
    }

    private LeaseLostException Lost(MoverDocument found) =>
        new($"Schedule lease {lease} was held under token {_token}; session {found.Session} holds it under {found.Token}.");
}

using Pub.Storage;

namespace Pub.Subscriptions;

/// <summary>
/// Changes a lease's cursor from outside, whether somebody holds the lease or not: rewinds, purges, requeues. Each edit is one CAS that raises
/// <see cref="CursorDocument.Rewinds"/>, by which a living holder knows that it must cancel what is in flight, discard what is settled of it, and
/// read the cursor again. Never the token: that would look like a takeover (executions.md 14).
/// </summary>
internal sealed class CursorEdits(IDocumentStore store, PubRuntime runtime)
{
    private readonly CasLoop _loop = new(store, runtime);

    /// <summary>
    /// Writes what <paramref name="edit"/> makes of the cursor; null leaves it alone. A cursor that does not exist is given as empty, so an edit must
    /// write a line for every shard whose start it knows better than the subscription's record.
    /// </summary>
    public async Task<CursorDocument> EditAsync(
        DocumentKey key, Func<CursorDocument, CursorDocument?> edit, CancellationToken cancellationToken = default)
    {
        var result = await _loop.UpdateAsync(
            key,
            CursorDocument.Format,
            stored =>
            {
                var cursor = CursorDocument.From(stored);
                var edited = edit(cursor);
                if (edited is null)
                {
                    return null;
                }

                // The loser of the CAS reads again, so an edit never undoes what a holder has settled in the meantime, unless it means to.
                return runtime.Breaks(BrokenRules.RewindBumpsToken)
                    ? (edited with { Token = cursor.Token + 1 }).ToStored()
                    : (edited with { Rewinds = cursor.Rewinds + 1 }).ToStored();
            },
            WriteOptions.Synced,
            cancellationToken: cancellationToken);
        return CursorDocument.From(result.State);
    }
}

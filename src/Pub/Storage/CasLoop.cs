namespace Pub.Storage;

/// <summary>
/// The one CAS loop: read, decide, write, and again if somebody else was faster.
/// </summary>
/// <remarks>
/// <para>A decision is a pure function of the state, because it may be asked several times; it sees its own effect if a write of unknown outcome
/// did happen.</para>
/// <para>After a write of unknown outcome nothing follows until a CAS write of one's own has succeeded on the document: that one kills the pending
/// write. Reading back "not applied" proves nothing (executions.md 15, 16). So the document is then written even if the decision is "nothing".</para>
/// <para>Attempts are bounded by <see cref="MaxAttempts"/>.</para>
/// </remarks>
internal sealed class CasLoop(IDocumentStore store, PubRuntime runtime, int attempts = CasLoop.MaxAttempts)
{
    public const int MaxAttempts = 60;

    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// Brings the document to what <paramref name="decide"/> answers: the new state, or null to leave it. It is given null while there is no document.
    /// </summary>
    /// <param name="key">The document.</param>
    /// <param name="format">How it is stored.</param>
    /// <param name="decide">Pure: state to new state, or null for nothing to write.</param>
    /// <param name="options">Durable or not.</param>
    /// <param name="known">What the caller has just read, to begin with; saves a read.</param>
    /// <param name="cancellationToken">Ends the loop between two attempts.</param>
    /// <exception cref="StoreUnavailableException">Too many others were faster, or the store is away: this call certainly wrote nothing.</exception>
    /// <exception cref="OutcomeUnknownException">A write may have happened, or may happen yet, and none could be made after it.</exception>
    public async Task<CasResult<T>> UpdateAsync<T>(
        DocumentKey key, DocumentFormat<T> format, Func<T?, T?> decide, WriteOptions options, StoredDocument? known = null, CancellationToken cancellationToken = default)
        where T : class
    {
        PubException? unknown = null;
        var inserting = false;
        var insertPending = false;
        for (var attempt = 1; attempt <= attempts; attempt++)
        {
            try
            {
                cancellationToken.ThrowIfCancellationRequested();
                var stored = known ?? await store.GetAsync(key, cancellationToken);
                known = null;
                var state = format.Read(key, stored);
                var next = decide(state);
                if (next is null && (unknown is null || !stored.Exists))
                {
                    // Where there is no document a pending replace cannot land any more, a pending insert can.
                    return unknown is null || !insertPending ? new(state, stored, Written: false) : throw unknown;
                }

                // The loser reads again and decides anew.
                var content = next is null ? stored.Content : format.Write(next);
                inserting = !stored.Exists;
                var result = stored.Exists
                    ? await store.ReplaceAsync(key, content, stored.Cas, options)
                    : await store.InsertAsync(key, content, options);
                if (result.IsApplied)
                {
                    return new(next ?? state, new StoredDocument(content, result.Cas), Written: true);
                }
            }
            catch (OutcomeUnknownException e) when (!ReferenceEquals(e, unknown))
            {
                unknown = e;
                insertPending |= inserting;
            }
            catch (StoreUnavailableException) when (unknown is not null)
            {
            }
            catch (OperationCanceledException e) when (unknown is not null)
            {
                throw new OutcomeUnknownException($"Cancelled after a write of {key} whose outcome is unknown.", e);
            }

            await PauseAsync(attempt, unknown, cancellationToken);
        }

        throw unknown is null
            ? new StoreUnavailableException($"{key} was changed by others during each of {attempts} attempts to change it.")
            : new OutcomeUnknownException($"A write of {key} may have happened, and none of {attempts} attempts to make another one after it succeeded.", unknown);
    }

    /// <summary>None before the first repetition: competition is short. Then longer and longer, out of step with the others.</summary>
    private async Task PauseAsync(int attempt, PubException? unknown, CancellationToken cancellationToken)
    {
        if (attempt == 1 && unknown is null)
        {
            return;
        }

        var pause = TimeSpan.FromMilliseconds(Math.Min(1 << Math.Min(attempt, 10), (int)LongestPause.TotalMilliseconds));

        // A cancelled pause ends at the head of the loop, where the unknown write is known.
        await runtime.Delay(runtime.Jitter(pause), cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }
}

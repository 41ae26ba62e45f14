using Pub.Storage;
using Pub.Topics;

namespace Pub.Scheduling;

/// <summary>Schedules and cancels messages under a token. Holds no state; the token's document decides every race (docs/decisions/0009-scheduling.md).</summary>
internal sealed class ScheduledTokens(IDocumentStore store, PubRuntime runtime, BucketLocator buckets, TokenMove move, ScheduleTimings timings)
{
    private const int MaxAttempts = 60;

    /// <summary>Around the entry in base64.</summary>
    private const int DocumentBytes = 1024;

    private readonly CasLoop _loop = new(store, runtime);

    /// <summary>The document first, then the line in the bucket: a line without a document means that there is nothing to do.</summary>
    public async Task ScheduleAsync(string token, ScheduledMessage scheduled)
    {
        var key = DocumentKeys.ScheduledToken(token);
        var document = Create(token, scheduled);
        await PutAsync(key, document);
        try
        {
            await buckets.AppendAsync(ScheduleHeader.TokenLine(token, document.Schedule, scheduled.Due), scheduled.Due);
        }
        catch (StoreUnavailableException)
        {
            await WithdrawAsync(key, document.Schedule);
            throw;
        }
    }

    public async Task<CancelResult> CancelAsync(string token, CancellationToken cancellationToken)
    {
        var key = DocumentKeys.ScheduledToken(token);
        OutcomeUnknownException? unknown = null;
        for (var attempt = 1; attempt <= MaxAttempts; attempt++)
        {
            try
            {
                if (await TryCancelAsync(key, cancellationToken) is { } result)
                {
                    return result;
                }
            }
            catch (OutcomeUnknownException e)
            {
                // Read again: only if the version is still the same is it open, and then the next replace settles it.
                unknown = e;
            }
            catch (StoreUnavailableException e) when (unknown is not null && attempt == MaxAttempts)
            {
                throw new OutcomeUnknownException($"{key} may be cancelled; the store then failed.", e);
            }
            catch (StoreUnavailableException) when (unknown is not null)
            {
            }

            await Retry.PauseAsync(runtime, Math.Min(attempt, 6), unknown is null ? cancellationToken : CancellationToken.None);
        }

        throw unknown ?? (PubException)new StoreUnavailableException($"{key} was changed by others in each of {MaxAttempts} attempts to cancel it.");
    }

    /// <summary>Null: somebody else was faster, look again.</summary>
    private async Task<CancelResult?> TryCancelAsync(DocumentKey key, CancellationToken cancellationToken)
    {
        var stored = await store.GetAsync(key, cancellationToken);
        var document = TokenDocument.Format.Read(key, stored);
        if (document is not null && runtime.Breaks(BrokenRules.CancelWithoutCas))
        {
            await store.RemoveAsync(key, default, WriteOptions.Synced);
            return CancelResult.Cancelled;
        }

        switch (document?.State)
        {
            case null:
                return CancelResult.NotFound;
            case TokenState.Moving:
                return CancelResult.TooLate;
            case TokenState.Cancelled:
                return CancelResult.Cancelled;
        }

        // The loser finds it moving, gone, cancelled or scheduled anew. Kept for a while rather than removed, so that a repeated cancel can tell.
        var options = WriteOptions.Synced with { TimeToLive = timings.CancelledTimeToLive };
        var written = await store.ReplaceAsync(key, TokenDocument.Format.Write(document!.AsCancelled()), stored.Cas, options);
        return written.IsApplied ? CancelResult.Cancelled : null;
    }

    private async Task PutAsync(DocumentKey key, TokenDocument document)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            // Last schedule wins; what is already moving is helped to its end first.
            var result = await _loop.UpdateAsync(
                key, TokenDocument.Format, old => old?.State == TokenState.Moving || old?.Schedule == document.Schedule ? null : document, WriteOptions.Synced);
            if (result.State?.Schedule == document.Schedule)
            {
                return;
            }

            await move.MoveAsync(result.State!.Token, result.State.Schedule);
        }

        throw new StoreUnavailableException($"{key} was scheduled by others in each of {MaxAttempts} attempts; nothing was scheduled.");
    }

    /// <summary>The line was certainly not written, so nobody would ever find the document. Best effort.</summary>
    private async Task WithdrawAsync(DocumentKey key, string schedule)
    {
        try
        {
            var stored = await store.GetAsync(key);
            if (TokenDocument.Format.Read(key, stored) is { State: TokenState.Pending } document && document.Schedule == schedule)
            {
                await store.RemoveAsync(key, stored.Cas, WriteOptions.Synced);
            }
        }
        catch (PubException)
        {
        }
    }

    private TokenDocument Create(string token, ScheduledMessage scheduled)
    {
        var maxEntryBytes = (int)Math.Min(int.MaxValue, (store.MaxDocumentBytes - DocumentBytes) / 4L * 3);
        var schedule = runtime.NewId();
        var entry = new EntryWriter();
        entry.TryAdd(MessageEncoder.Encode(ScheduleHeader.Wrap(scheduled), runtime, maxEntryBytes));
        return new TokenDocument
        {
            Token = token,
            Schedule = schedule,
            Due = scheduled.Due.ToUnixTimeMilliseconds(),
            Target = scheduled.Target.ToString(),
            Entry = entry.Finish(schedule, schedule, runtime.UnixMilliseconds).ToArray(),
        };
    }
}

using Microsoft.Extensions.Logging;
using Pub.Storage;
using Pub.Topics;

namespace Pub.Scheduling;

/// <summary>
/// Publishes a message that can be cancelled. Any number of processes may do it at a time, and each may die at any step (executions.md 19). Holds no state.
/// <code>
/// reserve a slot → CAS "moving there" → fill the slot → remove under that CAS
/// the slot recorded cannot hold the message → reserve another → CAS → fill → remove
/// </code>
/// </summary>
internal sealed class TokenMove(IDocumentStore store, PubRuntime runtime, ShardLog log, IMoveTargets targets, ScheduleTimings timings, ILogger logger)
{
    private const int MaxAttempts = 60;

    private readonly string _writer = runtime.NewId();

    /// <summary>
    /// Publishes what is scheduled under the token, if it still is this scheduling of it and not cancelled. Returns when nothing of it is left to do.
    /// </summary>
    /// <exception cref="PubException">To be called again later; nothing is lost, and nothing will be there twice for that reason.</exception>
    public async Task MoveAsync(string token, string schedule)
    {
        var key = DocumentKeys.ScheduledToken(token);
        for (var attempt = 1; attempt <= MaxAttempts; attempt++)
        {
            var stored = await store.GetAsync(key);
            var document = TokenDocument.Format.Read(key, stored);
            if (document is null || document.Schedule != schedule || document.State == TokenState.Cancelled)
            {
                return;
            }

            try
            {
                if (await TryOnceAsync(new Step(key, document, stored.Cas)))
                {
                    return;
                }
            }
            catch (OutcomeUnknownException) when (attempt < MaxAttempts)
            {
                // Read again: what is recorded there decides, and a pending write fails once the version has moved.
            }

            await Retry.PauseAsync(runtime, Math.Min(attempt, 6));
        }

        throw new StoreUnavailableException($"{key} was changed by others in each of {MaxAttempts} attempts to move it.");
    }

    /// <summary>Whether the document is gone. False: somebody else was faster at some step; read again.</summary>
    private async Task<bool> TryOnceAsync(Step step)
    {
        var entry = EntryCodec.Decode(step.Document.Entry);
        var scheduled = entry.Messages is [var only] ? ScheduleHeader.Open(only)?.Scheduled : null;
        var target = scheduled is { } found ? await FindAsync(found) : null;
        if (scheduled is not { } message || target is null)
        {
            // Nobody will receive it: a temporary endpoint that is gone, or bytes that nobody understands.
            ScheduleLog.TokenDropped(logger, step.Document.Token, step.Document.Target ?? "");
            return await RemoveAsync(step);
        }

        var content = Encode(message.Message, step.Document.Schedule);
        if (step.Document.State == TokenState.Moving && await TryRecordedAsync(step, target, content) is { } isEnded)
        {
            return isEnded;
        }

        return await TryNewAsync(step, target, message, content);
    }

    private async Task<TopicSnapshot?> FindAsync(ScheduledMessage message)
    {
        if (!message.Options.OnlyIfExists)
        {
            await targets.EnsureAsync(message.Target);
        }

        return await targets.FindAsync(message.Target, message.Options.OnlyIfExists);
    }

    /// <summary>Null: the recorded slot cannot hold the message, another is needed.</summary>
    private async Task<bool?> TryRecordedAsync(Step step, TopicSnapshot target, ReadOnlyMemory<byte> content)
    {
        var shard = new ShardId(target.Name, step.Document.Shard);
        var offset = new Offset(step.Document.Offset);

        // Whoever recorded it may have done so long ago: the slot may be trimmed. Before the fill, so as not to leave an entry there; after it, because only then it is certain.
        if (await targets.RefreshAsync(target.Name) is not { } before || !Counts(before, shard.Number, offset))
        {
            return null;
        }

        var filled = await log.FillAsync(shard, offset, step.Document.Schedule, content, runtime.StartElapsed(), new Deadline(runtime.Time, timings.MoveTimeout));
        if (filled != FillResult.Filled || await targets.RefreshAsync(target.Name) is not { } after || !Counts(after, shard.Number, offset))
        {
            return null;
        }

        await targets.AppendedAsync(shard, offset, content);
        return await RemoveAsync(step);
    }

    private async Task<bool> TryNewAsync(Step step, TopicSnapshot target, ScheduledMessage message, ReadOnlyMemory<byte> content)
    {
        var since = runtime.StartElapsed();
        var deadline = new Deadline(runtime.Time, timings.MoveTimeout);
        var shard = new ShardId(target.Name, ShardOf(message, target.ShardCount));
        var reserved = await log.ReserveAsync(shard, deadline);
        if (reserved.IsMissing || reserved.Offset.Life != target[shard.Number].Life || target[shard.Number].IsClosed)
        {
            await targets.RefreshAsync(target.Name);
            return false;
        }

        // The loser's slot stays empty: a cancel, another schedule or another mover was faster.
        var moving = step.Document.MovingTo(shard, reserved.Offset);
        if (!runtime.Breaks(BrokenRules.MoveWithoutRecordedSlot))
        {
            var written = await store.ReplaceAsync(step.Key, TokenDocument.Format.Write(moving), step.Cas, WriteOptions.Synced);
            if (!written.IsApplied)
            {
                await log.CloseSlotAsync(shard, reserved.Offset);
                return false;
            }

            step = new Step(step.Key, moving, written.Cas);
        }

        if (await log.FillAsync(shard, reserved.Offset, step.Document.Schedule, content, since, deadline) != FillResult.Filled)
        {
            return false;
        }

        await targets.AppendedAsync(shard, reserved.Offset, content);
        return await RemoveAsync(step);
    }

    private int ShardOf(ScheduledMessage message, int shards) =>
        message.Options.Shard is { } given && given < shards ? given
        : message.Message.Key is { } key ? ShardHash.ShardOf(key, shards)
        : runtime.Next(shards);

    private static bool Counts(TopicSnapshot topic, int shard, Offset offset) =>
        shard < topic.ShardCount && topic[shard].Life == offset.Life && topic[shard].Head <= offset;

    /// <summary>Only the version that was moved: another slot recorded meanwhile must not be forgotten before it is filled.</summary>
    private async Task<bool> RemoveAsync(Step step) =>
        (await store.RemoveAsync(step.Key, step.Cas, WriteOptions.Synced)).Status != WriteStatus.Moved;

    private ReadOnlyMemory<byte> Encode(OutgoingMessage message, string schedule)
    {
        var entry = new EntryWriter();
        entry.TryAdd(MessageEncoder.Encode(message, runtime, store.MaxDocumentBytes));
        return entry.Finish(_writer, schedule, runtime.UnixMilliseconds);
    }

    private readonly record struct Step(DocumentKey Key, TokenDocument Document, Cas Cas);
}

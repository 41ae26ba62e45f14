using Pub.Storage;

namespace Pub.Topics;

/// <summary>How filling a slot ended.</summary>
internal enum FillResult
{
    /// <summary>The entry is in the slot, durably, and the slot counts.</summary>
    Filled,

    /// <summary>Somebody else's entry or a tombstone is in the slot, and this entry certainly never was: reserve again.</summary>
    Lost,

    /// <summary>The slot does not count, but the entry may have been there and been read: reserve again, and never report certain failure.</summary>
    LostPerhapsRead,
}

/// <summary>
/// Puts an entry into a reserved slot, whatever the store answers meanwhile (design 3.3 to 3.5).
/// <code>
/// once an attempt was unknown: the end is filled, lost, unknown, or certainly failed after the slot was found closed while its head had not passed it
/// filled after more than LookBeforeConfirming: the head was read afterwards and had not passed the slot
/// </code>
/// </summary>
internal sealed class SlotFilling(ShardLog log, IDocumentStore store, PubRuntime runtime, PubTimings timings)
{
    /// <summary>What a slot holds, for one append.</summary>
    private enum Slot
    {
        Empty,
        Own,
        Other,
    }

    /// <summary>
    /// Puts an entry into a reserved slot, whatever the store answers meanwhile, and looks before it says so when that took long.
    /// </summary>
    /// <param name="shard">The shard.</param>
    /// <param name="offset">The reserved slot; or one recorded before, to be filled by whoever comes first.</param>
    /// <param name="appendId">The entry's append id, by which it is known again.</param>
    /// <param name="entry">The encoded entry.</param>
    /// <param name="sinceReserved">Started before the offset was reserved.</param>
    /// <param name="deadline">Until when to try.</param>
    /// <exception cref="StoreUnavailableException">Certainly not done, and never will be.</exception>
    /// <exception cref="OutcomeUnknownException">The entry may be or come into the slot.</exception>
    public async ValueTask<FillResult> FillAsync(ShardId shard, Offset offset, string appendId, ReadOnlyMemory<byte> entry, ElapsedTime sinceReserved, Deadline deadline)
    {
        var fill = new Fill(shard, offset, DocumentKeys.Entry(shard, offset), appendId, sinceReserved, deadline);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                if (await TryOnceAsync(fill, entry) is { } result)
                {
                    return result;
                }
            }
            catch (OutcomeUnknownException e)
            {
                fill.Unknown = e;
                fill.MustRead = true;
                if (runtime.Breaks(BrokenRules.UnknownIsFailure))
                {
                    throw new StoreUnavailableException("Broken on purpose: unknown reported as failure.", e);
                }
            }
            catch (StoreUnavailableException e)
            {
                fill.Away = e;
            }
            catch (PubException e) when (fill.Unknown is not null)
            {
                throw new OutcomeUnknownException($"The entry {fill.Key} may be stored; the store then failed.", e);
            }

            if (deadline.IsPast)
            {
                return await GiveUpAsync(fill);
            }

            if (attempt > 1 || !fill.MustRead)
            {
                await Retry.PauseAsync(runtime, attempt);
            }
        }
    }

    /// <summary>Null to try again.</summary>
    private async ValueTask<FillResult?> TryOnceAsync(Fill fill, ReadOnlyMemory<byte> entry)
    {
        if (fill.MustRead)
        {
            // Exists: whose is it? (executions.md 6) Unknown: has it landed?
            switch (await ReadAsync(fill))
            {
                case Slot.Own:
                    return await LookAsync(fill);
                case Slot.Other:
                    return Lost(fill);
            }

            fill.MustRead = false;
            if (fill.WasTaken && fill.Unknown is null)
            {
                // What was there is trimmed since. No attempt of ours was unknown, so it was somebody else's.
                return FillResult.Lost;
            }
        }

        if ((await store.InsertAsync(fill.Key, entry, WriteOptions.Synced)).IsApplied)
        {
            return await LookAsync(fill);
        }

        fill.WasTaken = true;
        fill.MustRead = true;
        return runtime.Breaks(BrokenRules.UpsertInsteadOfInsert | BrokenRules.NoReadOnExists) ? await BreakAsync(fill, entry) : null;
    }

    /// <summary>What producers without the rule do that find their slot taken.</summary>
    private async ValueTask<FillResult> BreakAsync(Fill fill, ReadOnlyMemory<byte> entry)
    {
        if (runtime.Breaks(BrokenRules.NoReadOnExists))
        {
            return FillResult.Lost;
        }

        var there = await store.GetAsync(fill.Key);
        await store.ReplaceAsync(fill.Key, entry, there.Cas, WriteOptions.Synced);
        return FillResult.Filled;
    }

    /// <summary>
    /// In the first half of the gap timeout nobody can have closed the slot, let alone trimmed the tombstone. Later somebody may have, and an entry
    /// below the head is read by nobody (executions.md 1; docs/decisions/0005-the-look-before-confirming.md).
    /// </summary>
    private async ValueTask<FillResult> LookAsync(Fill fill)
    {
        if (!IsLate(fill) || runtime.Breaks(BrokenRules.NoLookBeforeConfirming))
        {
            return FillResult.Filled;
        }

        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await CountsAsync(fill) ? FillResult.Filled : FillResult.LostPerhapsRead;
            }
            catch (PubException e) when (!e.IsTransient || fill.Deadline.IsPast)
            {
                throw new OutcomeUnknownException($"The entry {fill.Key} was stored late, and whether its slot still counts could not be read.", e);
            }
            catch (PubException)
            {
            }

            await Retry.PauseAsync(runtime, attempt);
        }
    }

    /// <summary>Somebody else's content was there first, unless ours was there before it and has been trimmed, which takes longer than half the gap timeout.</summary>
    private FillResult Lost(Fill fill) => fill.Unknown is not null && IsLate(fill) ? FillResult.LostPerhapsRead : FillResult.Lost;

    private bool IsLate(Fill fill) => fill.SinceReserved.Elapsed > timings.LookBeforeConfirming;

    /// <summary>
    /// Time is up. Without an unknown attempt the entry certainly never will be in the slot. With one the slot is closed first; and that proves
    /// something only while the head is not above the slot, for otherwise the entry may have been there, been read, and been trimmed.
    /// </summary>
    private async ValueTask<FillResult> GiveUpAsync(Fill fill)
    {
        if (fill.Unknown is null)
        {
            throw new StoreUnavailableException($"The entry {fill.Key} could not be stored within {fill.Deadline.Limit}. It certainly was not.", fill.Away);
        }

        bool isOwn, counts;
        try
        {
            isOwn = await log.CloseSlotAsync(fill.Shard, fill.Offset) == WriteStatus.Exists && await ReadAsync(fill) == Slot.Own;
            counts = await CountsAsync(fill);
        }
        catch (PubException e)
        {
            throw new OutcomeUnknownException($"The entry {fill.Key} may be stored: an attempt had no known outcome, and its slot could not be closed.", e);
        }

        if (isOwn)
        {
            return counts ? FillResult.Filled : FillResult.LostPerhapsRead;
        }

        throw counts
            ? new StoreUnavailableException($"The entry {fill.Key} could not be stored within {fill.Deadline.Limit}. Its slot was found closed: it certainly was not.", fill.Unknown)
            : new OutcomeUnknownException($"The entry {fill.Key} may have been stored and read: an attempt had no known outcome, and its slot no longer counts.", fill.Unknown);
    }

    /// <summary>Whether the topic is there, in the same life, with a head that is not above the slot.</summary>
    private async ValueTask<bool> CountsAsync(Fill fill)
    {
        var part = TopicSnapshot.PartOf(fill.Shard.Number);
        var document = TopicDocument.Read(fill.Shard.Topic, part, await store.GetAsync(DocumentKeys.Topic(fill.Shard.Topic, part)));
        if (document is null)
        {
            return false;
        }

        var state = document.State(fill.Shard.Number % DocumentKeys.ShardsPerDocument);
        return state.Life == fill.Offset.Life && state.Head <= fill.Offset;
    }

    private async ValueTask<Slot> ReadAsync(Fill fill)
    {
        var there = await store.GetAsync(fill.Key);
        if (!there.Exists)
        {
            return Slot.Empty;
        }

        return EntryCodec.TryReadOwner(there.Content.Span, out _, out var appendId) && appendId == fill.AppendId ? Slot.Own : Slot.Other;
    }

    /// <summary>One filling of one slot, and what has been learnt in it.</summary>
    private sealed class Fill(ShardId shard, Offset offset, DocumentKey key, string appendId, ElapsedTime sinceReserved, Deadline deadline)
    {
        public ShardId Shard { get; } = shard;

        public Offset Offset { get; } = offset;

        public DocumentKey Key { get; } = key;

        public string AppendId { get; } = appendId;

        public ElapsedTime SinceReserved { get; } = sinceReserved;

        public Deadline Deadline { get; } = deadline;

        /// <summary>The last attempt of unknown outcome.</summary>
        public OutcomeUnknownException? Unknown { get; set; }

        /// <summary>Why the last attempt certainly did nothing.</summary>
        public StoreUnavailableException? Away { get; set; }

        /// <summary>Whether an insert found something in the slot.</summary>
        public bool WasTaken { get; set; }

        /// <summary>Whether the slot is to be read before the next insert.</summary>
        public bool MustRead { get; set; }
    }
}

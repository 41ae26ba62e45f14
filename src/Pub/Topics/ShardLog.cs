using Microsoft.Extensions.Logging;
using Pub.Storage;

namespace Pub.Topics;

/// <summary>How a reservation ended.</summary>
/// <param name="Offset">The offset that is now the caller's alone.</param>
/// <param name="IsMissing">The topic has no document; nothing was reserved.</param>
internal readonly record struct Reservation(Offset Offset, bool IsMissing = false);

/// <summary>How an append ended that neither failed nor is unknown.</summary>
internal enum AppendStatus
{
    /// <summary>The entry is in the log at <see cref="AppendResult.Offset"/>, durably, and will be read.</summary>
    Done,

    /// <summary>The shard is in another life than the caller knows: closed, or the topic's shards have changed. Nothing was appended.</summary>
    LifeDiffers,

    /// <summary>The topic has no document. Nothing was appended.</summary>
    TopicMissing,
}

/// <summary>How an append ended, and where the entry is.</summary>
internal readonly record struct AppendResult(AppendStatus Status, Offset Offset = default);

/// <summary>
/// The steps of an append (design 3), for producers, schedules, redelivery and repair. Holds no state but its writer's id.
/// </summary>
internal sealed class ShardLog
{
    private readonly IDocumentStore _store;
    private readonly PubRuntime _runtime;
    private readonly ILogger _logger;
    private readonly PendingAppends? _pending;
    private readonly SlotFilling _filling;
    private readonly string _writer;

    public ShardLog(IDocumentStore store, PubRuntime runtime, PubTimings timings, ILogger logger, PendingAppends? pending = null)
    {
        _pending = pending;
        _store = store;
        _runtime = runtime;
        _logger = logger;
        _writer = runtime.NewId();
        _filling = new SlotFilling(this, store, runtime, timings);
    }

    /// <summary>Reserve, fill, look, and again for as long as the slot is not this entry's: one entry at one place.</summary>
    /// <param name="shard">The shard.</param>
    /// <param name="life">The life that the caller knows the shard to be in; an even one.</param>
    /// <param name="lastConfirmed">The caller's own last confirmed offset in this shard; a reservation not above it is thrown away.</param>
    /// <param name="appendId">The entry's append id, used for no other entry.</param>
    /// <param name="entry">The encoded entry.</param>
    /// <param name="timeout">How long to try.</param>
    /// <exception cref="StoreUnavailableException">Certainly not appended, and never will be.</exception>
    /// <exception cref="OutcomeUnknownException">The entry may be in the log, or come into it.</exception>
    public async ValueTask<AppendResult> AppendAsync(
        ShardId shard, long life, Offset lastConfirmed, string appendId, ReadOnlyMemory<byte> entry, TimeSpan timeout)
    {
        var deadline = new Deadline(_runtime.Time, timeout);
        var isPerhapsRead = false;
        try
        {
            while (true)
            {
                var since = _runtime.StartElapsed();
                var reserved = await ReserveAboveAsync(shard, lastConfirmed, deadline);
                if (reserved.IsMissing || reserved.Offset.Life != life)
                {
                    return isPerhapsRead
                        ? throw new OutcomeUnknownException($"An entry for {shard} came late into a slot that no longer counts; it may have been read before.")
                        : new(reserved.IsMissing ? AppendStatus.TopicMissing : AppendStatus.LifeDiffers);
                }

                switch (await FillReservedAsync(shard, reserved.Offset, appendId, entry, since, deadline))
                {
                    case FillResult.Filled:
                        return new(AppendStatus.Done, reserved.Offset);
                    case FillResult.LostPerhapsRead:
                        isPerhapsRead = true;
                        break;
                }

                TopicLog.SlotLost(_logger, shard, reserved.Offset);
            }
        }
        catch (PubException e) when (isPerhapsRead && e is not OutcomeUnknownException)
        {
            throw new OutcomeUnknownException($"An entry for {shard} may have been read at a slot that no longer counts, and could not be appended again.", e);
        }
    }

    /// <summary>Takes the next offset of the shard; retries while the store is away. A reservation of unknown outcome is a hole, and another is made.</summary>
    /// <exception cref="StoreUnavailableException">The store was away until the deadline.</exception>
    public ValueTask<Reservation> ReserveAsync(ShardId shard, Deadline deadline) => ReserveAsync(shard, 1, deadline);

    /// <inheritdoc cref="SlotFilling.FillAsync"/>
    public ValueTask<FillResult> FillAsync(ShardId shard, Offset offset, string appendId, ReadOnlyMemory<byte> entry, ElapsedTime sinceReserved, Deadline deadline) =>
        _filling.FillAsync(shard, offset, appendId, entry, sinceReserved, deadline);

    /// <summary>Inserts a durable tombstone: Applied, the slot is closed for ever; Exists, there is an entry or a tombstone.</summary>
    /// <exception cref="OutcomeUnknownException">The tombstone may be there; call again.</exception>
    public async ValueTask<WriteStatus> CloseSlotAsync(ShardId shard, Offset offset)
    {
        var tombstone = EntryCodec.EncodeTombstone(_writer, _runtime.NewId(), _runtime.UnixMilliseconds);
        var options = new WriteOptions(Durable: !_runtime.Breaks(BrokenRules.TombstoneNotDurable));
        var result = await _store.InsertAsync(DocumentKeys.Entry(shard, offset), tombstone, options);
        return result.Status;
    }

    private async ValueTask<FillResult> FillReservedAsync(
        ShardId shard, Offset offset, string appendId, ReadOnlyMemory<byte> entry, ElapsedTime since, Deadline deadline)
    {
        _pending?.Begin(shard, offset);
        try
        {
            return await _filling.FillAsync(shard, offset, appendId, entry, since, deadline);
        }
        finally
        {
            _pending?.End(shard, offset);
        }
    }

    /// <summary>A fallen tail can hand out again what this caller has used (executions.md 5); what lies between is used too, so it is stepped over.</summary>
    private async ValueTask<Reservation> ReserveAboveAsync(ShardId shard, Offset lastConfirmed, Deadline deadline)
    {
        var reserved = await ReserveAsync(shard, 1, deadline);
        while (!reserved.IsMissing && reserved.Offset <= lastConfirmed && !_runtime.Breaks(BrokenRules.NoThrowAwayOldReservation))
        {
            TopicLog.ReservationThrownAway(_logger, shard, reserved.Offset, lastConfirmed);
            reserved = await ReserveAsync(shard, lastConfirmed.Value - reserved.Offset.Value + 1, deadline);
        }

        return reserved;
    }

    private async ValueTask<Reservation> ReserveAsync(ShardId shard, long delta, Deadline deadline)
    {
        var key = DocumentKeys.Topic(shard.Topic, TopicSnapshot.PartOf(shard.Number));
        var path = TopicDocument.TailPath(shard.Number);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var result = await _store.IncrementAsync(key, path, delta);
                return result.IsApplied ? new(new Offset(result.Value)) : new(Offset.None, IsMissing: true);
            }
            catch (PubException e) when (e is StoreUnavailableException or OutcomeUnknownException)
            {
                if (deadline.IsPast)
                {
                    throw new StoreUnavailableException($"No offset of {shard} could be reserved within {deadline.Limit}; nothing was appended.", e);
                }
            }

            await Retry.PauseAsync(_runtime, attempt);
        }
    }
}

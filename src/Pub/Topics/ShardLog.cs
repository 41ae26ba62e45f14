#pragma warning disable CS9113 // signatures landed ahead of the code
using Microsoft.Extensions.Logging;
using Pub.Storage;

namespace Pub.Topics;

/// <summary>How a reservation ended. <see cref="IsMissing"/>: the topic has no document.</summary>
internal readonly record struct Reservation(Offset Offset, bool IsMissing = false);

/// <summary>How filling a slot ended.</summary>
internal enum FillResult
{
    /// <summary>The entry is in the slot, durably.</summary>
    Filled,

    /// <summary>Somebody else's entry or tombstone is in the slot, and this entry certainly never was: reserve again.</summary>
    Lost,

    /// <summary>The slot does not count, but the entry may have been there and been read: reserve again, and never report certain failure.</summary>
    LostPerhapsRead,
}

/// <summary>
/// The steps of an append (design 3), for producers, schedules, redelivery and repair. Holds no state.
/// </summary>
internal sealed class ShardLog(IDocumentStore store, PubRuntime runtime, PubTimings timings, ILogger<ShardLog> logger)
{
    /// <summary>Takes the next offset of the shard; retries while the store is away, until <paramref name="deadline"/>.</summary>
    /// <exception cref="StoreUnavailableException">The store was away until the deadline.</exception>
    public ValueTask<Reservation> ReserveAsync(ShardId shard, Deadline deadline) => throw new NotImplementedException();

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
    public ValueTask<FillResult> FillAsync(ShardId shard, Offset offset, string appendId, ReadOnlyMemory<byte> entry, ElapsedTime sinceReserved, Deadline deadline) =>
        throw new NotImplementedException();

    /// <summary>Inserts a durable tombstone: Applied, the slot is closed for ever; Exists, there is an entry or a tombstone.</summary>
    public ValueTask<WriteStatus> CloseSlotAsync(ShardId shard, Offset offset) => throw new NotImplementedException();
}

using Pub.Subscriptions;

namespace Pub;

/// <summary>
/// One message on its way through a handler. Settle it exactly once: <see cref="Ack"/>, <see cref="Nack"/>, <see cref="NackAsync"/> or
/// <see cref="DeadLetterAsync"/>. Settling is in memory and never waits for the store, except where a message is written elsewhere first.
/// </summary>
/// <remarks>
/// Messages with the same ordering key are delivered one after another: the next one follows when this one is settled.
/// A message that is never settled holds its key, its place in the prefetch budget and its lease's hand-over.
/// </remarks>
public sealed class Delivery
{
    private readonly LeaseReader _reader;
    private int _settled;

    internal Delivery(LeaseReader reader, WindowSlot slot, int index, Message message, int count, long arrival, long order = 0)
    {
        _reader = reader;
        Slot = slot;
        Index = index;
        Message = message;
        DeliveryCount = count;
        ArrivalNumber = arrival;
        Order = order == 0 ? arrival : order;
    }

    /// <summary>The message.</summary>
    public Message Message { get; }

    /// <summary>Where the message lies: topic, shard, offset and index.</summary>
    public MessagePlace Place => new(LeaseReader.ShardOf(Slot), new Position(Slot.Offset, Index));

    /// <summary>1 at the first delivery; more after a nack, a redelivery, or where a former holder is known to have begun one.</summary>
    public int DeliveryCount { get; }

    /// <summary>Rises with every delivery of this consumer: the order of arrival. Offsets of different shards can't be compared.</summary>
    public long ArrivalNumber { get; }

    /// <summary>
    /// Cancelled when the lease is lost, the session has ended, the subscription was rewound, or the consumer stops and its patience has run out:
    /// from then on settling has no effect, and the message is delivered again.
    /// </summary>
    public CancellationToken Cancelled => _reader.Cancelled;

    /// <summary>Whether one of the settling calls has been made.</summary>
    public bool IsSettled => Volatile.Read(ref _settled) != 0;

    /// <summary>The arrival number of the message's first delivery: its place among those of its key when it has to be put back.</summary>
    internal long Order { get; }

    internal WindowSlot Slot { get; }

    internal int Index { get; }

    internal LeaseReader Reader => _reader;

    /// <summary>The lane of the ordering key while the delivery is in one.</summary>
    internal KeyLane? Lane { get; set; }

    /// <summary>The message is done with. False if the lease was lost: it will be delivered again.</summary>
    /// <exception cref="InvalidOperationException">The delivery was settled before.</exception>
    public bool Ack()
    {
        BeginSettling();
        return _reader.Acknowledge(this);
    }

    /// <summary>
    /// The message is delivered again where it is, at once, with its count raised; dead-lettered once it has been delivered
    /// <see cref="ConsumerOptions.MaxDeliveries"/> times.
    /// </summary>
    /// <exception cref="InvalidOperationException">The delivery was settled before.</exception>
    public bool Nack()
    {
        BeginSettling();
        return _reader.Return(this);
    }

    /// <summary>
    /// The message comes back to this subscription alone after a delay, with its count raised. It is written to the subscription's own queue first; when
    /// this returns it is safe there. Later messages of its key may overtake it.
    /// </summary>
    /// <exception cref="InvalidOperationException">The delivery was settled before.</exception>
    public ValueTask<bool> NackAsync(TimeSpan delay)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
        BeginSettling();
        return delay == TimeSpan.Zero ? new(_reader.Return(this)) : _reader.ReturnLaterAsync(this, delay);
    }

    /// <summary>
    /// The message is written to the dead-letter queue, with where it came from and why, and settled here. When this returns it is safe there.
    /// </summary>
    /// <exception cref="InvalidOperationException">The delivery was settled before.</exception>
    public ValueTask<bool> DeadLetterAsync(string reason, Exception? exception = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(reason);
        BeginSettling();
        return _reader.DeadLetterAsync(this, reason, exception);
    }

    private void BeginSettling()
    {
        if (Interlocked.Exchange(ref _settled, 1) != 0)
        {
            throw new InvalidOperationException($"The delivery of {Message.Id} at {Place} was settled before.");
        }
    }
}

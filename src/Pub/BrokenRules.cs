namespace Pub;

/// <summary>
/// Rules of the protocol that a run can leave out on purpose, so that the simulation can show that it notices (docs/broken-rules.md). Carried by
/// <see cref="PubRuntime.Broken"/>; nothing but the simulation and the tests sets one, and each costs the code that keeps the rule one test of a field.
/// </summary>
[Flags]
internal enum BrokenRules : long
{
    None = 0,

    /// <summary>An entry is written over whatever is in its slot (design 3.3).</summary>
    UpsertInsteadOfInsert = 1L << 0,

    /// <summary>A producer that finds its slot taken reserves again without looking whose entry it is (design 3.4, executions 6).</summary>
    NoReadOnExists = 1L << 1,

    /// <summary>An insert with unknown outcome is reported as certainly failed (design 3.4, executions 7).</summary>
    UnknownIsFailure = 1L << 2,

    /// <summary>A reservation not above the producer's own last confirmed offset is used all the same (design 3.3, executions 5).</summary>
    NoThrowAwayOldReservation = 1L << 3,

    /// <summary>A slow append is confirmed without reading the shard's head (design 3.5, executions 1).</summary>
    NoLookBeforeConfirming = 1L << 4,

    /// <summary>A keyless burst becomes one entry of any size (design 3.1, executions 29).</summary>
    UnboundedKeylessEntries = 1L << 5,

    /// <summary>A reader delivers above a hole without reading the hole again after the entry (design 4, executions 4).</summary>
    NoHoleReread = 1L << 6,

    /// <summary>A reader that woke on an increment and found a hole waits for the next change of the tail (design 4, executions 9).</summary>
    NoWakeForHoles = 1L << 7,

    /// <summary>An old hole is passed by time alone, without a tombstone in it (design 4).</summary>
    NoTombstone = 1L << 8,

    /// <summary>The floor moves past what is neither settled nor closed (design 5.6).</summary>
    FloorPastHole = 1L << 9,

    /// <summary>Tombstones are written without durability (design 2, executions 20).</summary>
    TombstoneNotDurable = 1L << 10,

    /// <summary>Nobody looks above the tail for entries that a failover hid (design 4, executions 3).</summary>
    NoProbe = 1L << 11,

    /// <summary>Starts and readers do not regard the head (design 1 and 6, executions 10).</summary>
    NoHead = 1L << 12,

    /// <summary>A trim leaves the tail alone, and marks the head without durability, so that a slot can be handed out again (design 6, executions 2).</summary>
    SlotReuseAfterTrim = 1L << 13,

    /// <summary>A trimmer does not read the registry again after it has raised the head (design 6).</summary>
    NoRegistryReread = 1L << 14,

    /// <summary>A trimmer does not write down how far it has removed (design 6, executions 11).</summary>
    NoRemoved = 1L << 15,

    /// <summary>A cursor is written over whatever is there, without regard to token or CAS (design 5.3).</summary>
    NoToken = 1L << 16,

    /// <summary>A new holder goes on under the token it finds (design 5.3, executions 13).</summary>
    TokenNotRaised = 1L << 17,

    /// <summary>A rewind raises the token in place of the count of rewinds (design 5.3, executions 14).</summary>
    RewindBumpsToken = 1L << 18,

    /// <summary>A lease is released after a cursor write with unknown outcome (design 5.2, executions 15).</summary>
    ReleaseAfterUnknown = 1L << 19,

    /// <summary>After a release with unknown outcome the holder goes on under its token (design 5.2, executions 16).</summary>
    GoOnAfterRelease = 1L << 20,

    /// <summary>What is settled in memory counts for trimming before the cursor write has succeeded (design 5.6).</summary>
    SettleBeforeWrite = 1L << 21,

    /// <summary>A delivery counts as settled before its handler has ended (design 5.6).</summary>
    SettleBeforeHandled = 1L << 22,

    /// <summary>An assignment of leases is written without durability (design 2, executions 20).</summary>
    AssignmentNotDurable = 1L << 23,

    /// <summary>A session whose document is missing, or whose beat is old by the host's clock, is dead at the first look (design 5.1, executions 21).</summary>
    OneLookAtSession = 1L << 24,

    /// <summary>A session is taken over without "dead" being written into it (design 5.1).</summary>
    NoDeadMark = 1L << 25,

    /// <summary>An owner measures the age of its beat by the monotonic clock alone (design 5.1, executions 21).</summary>
    MonotonicClockOnly = 1L << 26,

    /// <summary>Lease n covers shard n of one topic, so that one key can be with two instances (design 5.2, executions 27).</summary>
    LeaseByShardOfOneTopic = 1L << 27,

    /// <summary>A hand-over waits for the last handler, however long it runs (design 5.2, executions 28).</summary>
    BlockedHandOver = 1L << 28,

    /// <summary>Deliveries of one key may overlap (design 5.5).</summary>
    NoKeyOrder = 1L << 29,

    /// <summary>After taking over from the dead, messages are delivered before their delivery count is written (design 5.7, executions 31).</summary>
    NoCountBeforeDelivery = 1L << 30,

    /// <summary>A nack with delay sends the message back to its topic (design 5.7, executions 17).</summary>
    NackToTopic = 1L << 31,

    /// <summary>Cursor keys do not carry the subscription's incarnation (design 7, executions 12).</summary>
    NoIncarnation = 1L << 32,

    /// <summary>A flow's record carries no tails (design 7, executions 8).</summary>
    NoFlowTails = 1L << 33,

    /// <summary>A start that finds the subscription's record does not list it under its topics again (design 7, executions 22).</summary>
    NoRepeatedListing = 1L << 34,

    /// <summary>A temporary subscription whose session is dead stays (design 7, executions 23).</summary>
    TemporaryStaysListed = 1L << 35,

    /// <summary>A queue's subscription starts at the tail like any other (design 7, executions 24).</summary>
    QueueStartsAtTail = 1L << 36,

    /// <summary>A bucket that has been moved takes late appends (design 8, executions 18).</summary>
    NoClosedBuckets = 1L << 37,

    /// <summary>A cancel removes the message's document whatever its state (design 8, executions 19).</summary>
    CancelWithoutCas = 1L << 38,

    /// <summary>A mover does not write down the slot before it inserts there (design 8, executions 19).</summary>
    MoveWithoutRecordedSlot = 1L << 39,
}

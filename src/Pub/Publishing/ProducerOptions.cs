namespace Pub;

/// <summary>How a <c>Producer</c> gathers messages into entries and how long it tries. Checked once, when the producer is made.</summary>
public sealed class ProducerOptions
{
    /// <summary>
    /// How many bytes may wait per topic before further calls are held back unencoded; from 1 MB, default 64 MB. It bounds the producer's work
    /// ahead of the store; the bodies themselves stay the callers' until their calls end.
    /// </summary>
    public long MaxPendingBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>
    /// How long an append is tried while the store is away; from 100 ms to one hour, default 30 s. After it the call ends with
    /// <see cref="StoreUnavailableException"/> (certainly not published) or <see cref="OutcomeUnknownException"/>.
    /// </summary>
    public TimeSpan PublishTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The most messages in one entry; from 1 to 1,000, default 1,000. Larger entries cost fewer store operations and are read as a whole.</summary>
    public int MaxEntryMessages { get; set; } = 1000;

    /// <summary>The bytes, as stored, at which an entry takes no further message; from 1 KB to 16 MB, default 1 MB. One larger message is an entry of its own.</summary>
    public int MaxEntryBytes { get; set; } = 1024 * 1024;

    /// <summary>
    /// The most messages without key in one entry; from 1 to <see cref="MaxEntryMessages"/>, default 64. Small enough that a burst spreads over all
    /// shards and instances (executions.md 29).
    /// </summary>
    public int KeylessEntryMessages { get; set; } = 64;

    /// <summary>
    /// Appends of messages without key that are under way at a time per topic; from 1 to 64, default 2, so that entries fill under load. While
    /// more than this many full entries wait there are more, up to the number of shards.
    /// </summary>
    public int KeylessAppends { get; set; } = 2;

    /// <summary>All faults in one message; null if there is none.</summary>
    internal string? FindFaults()
    {
        var faults = new List<string>();
        Check(MaxPendingBytes is >= 1024 * 1024, $"MaxPendingBytes is {MaxPendingBytes}; allowed is 1048576 or more.");
        Check(PublishTimeout >= TimeSpan.FromMilliseconds(100) && PublishTimeout <= TimeSpan.FromHours(1), $"PublishTimeout is {PublishTimeout}; allowed are 100 ms to one hour.");
        Check(MaxEntryMessages is >= 1 and <= 1000, $"MaxEntryMessages is {MaxEntryMessages}; allowed are 1 to 1000.");
        Check(MaxEntryBytes is >= 1024 and <= 16 * 1024 * 1024, $"MaxEntryBytes is {MaxEntryBytes}; allowed are 1024 to 16777216.");
        Check(KeylessEntryMessages >= 1 && KeylessEntryMessages <= MaxEntryMessages, $"KeylessEntryMessages is {KeylessEntryMessages}; allowed are 1 to MaxEntryMessages ({MaxEntryMessages}).");
        Check(KeylessAppends is >= 1 and <= 64, $"KeylessAppends is {KeylessAppends}; allowed are 1 to 64.");
        return faults.Count == 0 ? null : string.Join(' ', faults);

        void Check(bool isAllowed, string fault)
        {
            if (!isAllowed)
            {
                faults.Add(fault);
            }
        }
    }

    internal ProducerOptions Validated() =>
        FindFaults() is { } faults ? throw new ArgumentException($"The producer's options cannot be used. {faults}") : (ProducerOptions)MemberwiseClone();
}

using Pub.Leases;

namespace Pub;

/// <summary>
/// The settings of one store in one process. Bound from configuration by <c>AddPub…</c>, checked once at start: all faults in one message that names each
/// setting and what is allowed.
/// </summary>
public sealed class PubOptions
{
    /// <summary>
    /// How long an instance that has died keeps its leases; 3 s to 10 minutes, default 30 s. Every instance beats each third of it, at one write and one
    /// read per known instance. The same in all processes of a store.
    /// </summary>
    public TimeSpan SessionTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a reservation that nobody fills is waited for before it is closed; 10 s to 10 minutes, default 10 s. Only a producer that died or is cut off leaves one.
    /// The same in all processes of a store.
    /// </summary>
    public TimeSpan GapTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a running handler may hold up the hand-over of its lease to an instance that has joined; 0 to 10 minutes, default 10 s.</summary>
    public TimeSpan HandOverPatience { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Bytes of entries just appended or read that all subscriptions of the process share; 0 to 4 GB, default 8 MB. Costs that much memory.</summary>
    public long EntryCacheBytes { get; set; } = 8 * 1024 * 1024;

    /// <summary>Cursor writes a second, over all leases of the process; 10 to 100,000, default 400. Fewer cost less and repeat more after a crash.</summary>
    public int CursorWritesPerSecond { get; set; } = 400;

    /// <summary>How the producer gathers messages and how long it tries.</summary>
    public ProducerOptions Producer { get; set; } = new();

    /// <summary>How what nobody needs any more is removed.</summary>
    public RetentionOptions Trimming { get; set; } = new();

    internal LeaseTimings LeaseTimings => new()
    {
        SessionTimeout = SessionTimeout,
        OwnerTimeout = SessionTimeout * 2 / 3,
        BeatInterval = SessionTimeout / 3,
        GiveUpPatience = HandOverPatience,
        DeadRetention = SessionTimeout > LeaseTimings.Default.DeadRetention ? SessionTimeout : LeaseTimings.Default.DeadRetention,
    };

    internal PubTimings Timings => new() { GapTimeout = GapTimeout };

    /// <summary>All faults in one message; null if there is none.</summary>
    internal string? FindFaults()
    {
        var faults = new List<string>();
        Check(InRange(SessionTimeout, TimeSpan.FromSeconds(3), TimeSpan.FromMinutes(10)), $"SessionTimeout is {SessionTimeout}; allowed are 3 seconds to 10 minutes.");
        Check(InRange(GapTimeout, 2 * PubTimings.Default.LookBeforeConfirming, TimeSpan.FromMinutes(10)), $"GapTimeout is {GapTimeout}; allowed are 10 seconds to 10 minutes.");
        Check(InRange(HandOverPatience, TimeSpan.Zero, TimeSpan.FromMinutes(10)), $"HandOverPatience is {HandOverPatience}; allowed are 0 to 10 minutes.");
        Check(EntryCacheBytes is >= 0 and <= 4L << 30, $"EntryCacheBytes is {EntryCacheBytes}; allowed are 0 to {4L << 30}.");
        Check(CursorWritesPerSecond is >= 10 and <= 100_000, $"CursorWritesPerSecond is {CursorWritesPerSecond}; allowed are 10 to 100000.");
        if (Producer is null)
        {
            faults.Add("Producer is null.");
        }
        else if (Producer.FindFaults() is { } producer)
        {
            faults.Add("Producer: " + producer);
        }

        if (Trimming is null)
        {
            faults.Add("Trimming is null.");
        }
        else if (Trimming.FindFaults() is { } trimming)
        {
            faults.Add("Trimming: " + trimming);
        }

        return faults.Count == 0 ? null : string.Join(' ', faults);

        static bool InRange(TimeSpan value, TimeSpan least, TimeSpan most) => value >= least && value <= most;

        void Check(bool isAllowed, string fault)
        {
            if (!isAllowed)
            {
                faults.Add(fault);
            }
        }
    }
}

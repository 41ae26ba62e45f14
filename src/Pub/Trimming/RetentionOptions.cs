namespace Pub;

/// <summary>How a process trims what nobody needs any more.</summary>
public sealed class RetentionOptions
{
    /// <summary>
    /// The most entries that this process removes a second, over all topics; from 1 to 1,000,000, default 5,000. Each removal is one store operation.
    /// What is below a topic's head does no harm while it waits for its removal, except for the room it takes.
    /// </summary>
    public int RemovalsPerSecond { get; set; } = 5000;

    /// <summary>How often this process looks for something to trim; from 100 ms to one hour, default 5 s.</summary>
    public TimeSpan TrimInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a topic that nobody subscribes to keeps its entries; from one second, default a day. Queues keep theirs for ever.</summary>
    public TimeSpan UnreadRetention { get; set; } = TimeSpan.FromDays(1);

    /// <summary>All faults in one message; null if there is none.</summary>
    internal string? FindFaults()
    {
        var faults = new List<string>();
        if (RemovalsPerSecond is < 1 or > 1_000_000)
        {
            faults.Add($"RemovalsPerSecond is {RemovalsPerSecond}; allowed are 1 to 1000000.");
        }

        if (TrimInterval < TimeSpan.FromMilliseconds(100) || TrimInterval > TimeSpan.FromHours(1))
        {
            faults.Add($"TrimInterval is {TrimInterval}; allowed are 100 ms to one hour.");
        }

        if (UnreadRetention < TimeSpan.FromSeconds(1))
        {
            faults.Add($"UnreadRetention is {UnreadRetention}; allowed is one second or more.");
        }

        return faults.Count == 0 ? null : string.Join(' ', faults);
    }

    internal RetentionOptions Validated() =>
        FindFaults() is { } faults ? throw new ArgumentException($"The retention options cannot be used. {faults}") : (RetentionOptions)MemberwiseClone();
}

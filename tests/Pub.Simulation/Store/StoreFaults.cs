namespace Pub.Simulation.Store;

/// <summary>How often, and how, the simulated cluster goes wrong. Chances are from 0 to 1, per operation. All 0: a store without faults.</summary>
internal sealed record StoreFaults
{
    /// <summary>The usual time from call to answer; drawn from none to twice this.</summary>
    public TimeSpan Latency { get; init; } = TimeSpan.FromMilliseconds(1);

    /// <summary>Chance that an operation takes up to <see cref="SlowLatency"/>.</summary>
    public double Slow { get; init; }

    public TimeSpan SlowLatency { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Chance of "unavailable": certainly not applied.</summary>
    public double Unavailable { get; init; }

    /// <summary>Chance of "unknown" of a write that was applied: its answer was lost.</summary>
    public double UnknownApplied { get; init; }

    /// <summary>Chance of "unknown" of a write that is never applied.</summary>
    public double UnknownNotApplied { get; init; }

    /// <summary>Chance of "unknown" of a write that is applied later, whatever has happened since.</summary>
    public double UnknownAppliedLater { get; init; }

    /// <summary>The longest that a write with unknown outcome stays on its way.</summary>
    public TimeSpan LongestOnItsWay { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long a caller waits before its write's outcome is "unknown".</summary>
    public TimeSpan OperationTimeout { get; init; } = TimeSpan.FromSeconds(2.5);

    /// <summary>Chance that a write in flight when its process dies is applied nevertheless.</summary>
    public double InFlightSurvivesDeath { get; init; } = 0.5;

    /// <summary>A wait answers at the write; else up to this much later, as polling does.</summary>
    public TimeSpan PollInterval { get; init; }

    public static StoreFaults None { get; } = new();

    public StoreFaults WithoutFaults() => new() { Latency = Latency, PollInterval = PollInterval, OperationTimeout = OperationTimeout };
}

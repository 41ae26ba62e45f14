namespace Pub.Simulation.Kernel;

/// <summary>How one host's clocks go wrong.</summary>
/// <param name="Skew">Wall clock: constant error.</param>
/// <param name="WallRate">Wall clock: seconds shown per true second.</param>
/// <param name="MonotonicRate">Monotonic clock and timers: seconds counted per true second.</param>
internal readonly record struct ClockSettings(TimeSpan Skew = default, double WallRate = 1, double MonotonicRate = 1)
{
    public ClockSettings()
        : this(default, 1, 1)
    {
    }
}

/// <summary>
/// One process's clocks: a wall clock that is wrong, drifts and is stepped, and a monotonic one that never falls and stands still while the process is
/// suspended. Timers follow the monotonic clock.
/// </summary>
internal sealed class SimTimeProvider(SimProcess process, SimScheduler scheduler, ClockSettings settings) : TimeProvider
{
    private static readonly DateTimeOffset Epoch = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private long _steps;
    private long _suspended;
    private long _stoppedAt = -1;
    private bool _isSuspended;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public long Monotonic => (long)(((_isSuspended ? _stoppedAt : scheduler.Now) - _suspended) * settings.MonotonicRate);

    public override DateTimeOffset GetUtcNow() => Epoch.AddTicks((long)(scheduler.Now * settings.WallRate) + settings.Skew.Ticks + _steps);

    public override long GetTimestamp() => Monotonic;

    public void StepWallClock(TimeSpan by) => _steps += by.Ticks;

    public void Stop(bool suspend)
    {
        _stoppedAt = scheduler.Now;
        _isSuspended = suspend;
    }

    public void GoOn()
    {
        if (_isSuspended)
        {
            _suspended += scheduler.Now - _stoppedAt;
            _isSuspended = false;
        }
    }

    public long TrueTimeAt(long monotonic) => (long)Math.Ceiling(monotonic / settings.MonotonicRate) + _suspended;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SimTimer(process, scheduler, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }
}

/// <summary>A timer of one process. It fires in a step of its own; late when the process was stopped; never when it is dead.</summary>
internal sealed class SimTimer(SimProcess process, SimScheduler scheduler, TimerCallback callback, object? state, bool isInline = false) : ITimer
{
    private const long Never = long.MaxValue;

    private long _monotonicDue = Never;
    private TimeSpan _period = Timeout.InfiniteTimeSpan;
    private int _version;

    public long TrueDue { get; private set; } = Never;

    /// <summary>Whether a place in the queue is still this timer's: a change leaves its old place behind.</summary>
    public bool IsQueuedAs(long due) => due >= TrueDue && !process.IsDead;

    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        _version++;
        _period = period;
        if (dueTime == Timeout.InfiniteTimeSpan)
        {
            _monotonicDue = TrueDue = Never;
            return true;
        }

        Set(process.Clock.Monotonic + dueTime.Ticks);
        return true;
    }

    public void Fire()
    {
        if (_monotonicDue == Never || process.IsDead)
        {
            return;
        }

        if (process.State != ProcessState.Running)
        {
            process.Hold(this);
        }
        else if (process.Clock.Monotonic < _monotonicDue)
        {
            Set(_monotonicDue);
        }
        else
        {
            var version = _version;
            _monotonicDue = TrueDue = Never;
            if (isInline)
            {
                scheduler.RunInline(process, () => Call(version));
            }
            else
            {
                scheduler.Post(process, _ => Call(version), null);
            }
        }
    }

    public void Dispose()
    {
        _version++;
        _monotonicDue = TrueDue = Never;
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private void Set(long monotonicDue)
    {
        _monotonicDue = monotonicDue;
        TrueDue = process.Clock.TrueTimeAt(monotonicDue);
        scheduler.Add(this);
    }

    private void Call(int version)
    {
        if (version != _version)
        {
            return;
        }

        if (_period != Timeout.InfiniteTimeSpan && _period > TimeSpan.Zero)
        {
            Set(process.Clock.Monotonic + _period.Ticks);
        }

        callback(state);
    }
}

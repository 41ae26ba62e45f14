namespace Pub.Simulation.Kernel;

/// <summary>
/// Runs one simulation on one thread: continuations in a random order drawn from the seed (or first in, first out), and virtual time, which stands still
/// while anything can run and then jumps to the next timer.
/// </summary>
/// <remarks>
/// Invariants: everything runs on the thread that called <see cref="Run"/>; a continuation or timer from another thread fails the run, because then the
/// seed no longer decides what happens. Time never falls. Nothing of a dead process ever runs again; what belongs to a stopped one waits.
/// </remarks>
internal sealed class SimScheduler(int seed, bool firstInFirstOut)
{
    // A process that never waits would hold virtual time for ever.
    private const int MaxStepsAtOneInstant = 100_000;

    private readonly Random _random = new(seed);
    private readonly List<Step> _ready = [];
    private readonly PriorityQueue<SimTimer, (long Due, long Number)> _timers = new();
    private readonly Dictionary<string, int> _loop = [];
    private Step _current;
    private int _firstReady;
    private long _timerNumber;
    private int _stepsAtThisInstant;
    private int _thread;
    private volatile string? _failure;

    private readonly record struct Step(SimProcess Process, SendOrPostCallback Callback, object? State);

    /// <summary>True virtual time since the start, in ticks of 100 ns. No process sees it; each has clocks of its own.</summary>
    public long Now { get; private set; }

    public TimeSpan Elapsed => new(Now);

    public long Steps { get; private set; }

    /// <summary>The first thing that went wrong; it ends the run.</summary>
    public string? Failure => _failure;

    public void Fail(string reason) => Interlocked.CompareExchange(ref _failure, reason, null);

    public void Post(SimProcess process, SendOrPostCallback callback, object? state)
    {
        if (!IsOwnThread("A continuation"))
        {
            return;
        }

        if (process.State == ProcessState.Running)
        {
            _ready.Add(new Step(process, callback, state));
        }
        else if (process.State != ProcessState.Dead)
        {
            process.Hold(callback, state);
        }
    }

    public void Add(SimTimer timer)
    {
        if (IsOwnThread("A timer"))
        {
            _timers.Enqueue(timer, (Math.Max(timer.TrueDue, Now), ++_timerNumber));
        }
    }

    /// <summary>Runs until the condition holds; false when the time has passed or nothing is left that could ever run.</summary>
    public bool Run(Func<bool> until, TimeSpan limit)
    {
        var end = Now + limit.Ticks;
        var before = SynchronizationContext.Current;
        _thread = Environment.CurrentManagedThreadId;
        try
        {
            while (_failure is null)
            {
                if (until())
                {
                    return true;
                }

                if (_firstReady < _ready.Count)
                {
                    RunOne(Take());
                }
                else if (!GoToNextTimer(end))
                {
                    return false;
                }
            }

            return false;
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    /// <summary>Runs a timer's callback at once, for the simulated store: it shares nothing with the processes, so its steps need no order of their own.</summary>
    public void RunInline(SimProcess process, Action callback)
    {
        Steps++;
        SynchronizationContext.SetSynchronizationContext(process.OwnContext);
        callback();
    }

    private void RunOne(Step step)
    {
        if (step.Process.State != ProcessState.Running)
        {
            Post(step.Process, step.Callback, step.State);
            return;
        }

        Steps++;
        if (++_stepsAtThisInstant > MaxStepsAtOneInstant - 200)
        {
            CountStepOfLoop(step);
            if (_stepsAtThisInstant > MaxStepsAtOneInstant)
            {
                var loop = string.Join(Environment.NewLine, _loop.OrderByDescending(pair => pair.Value).Take(20).Select(pair => $"  {pair.Value} x {pair.Key}"));
                Fail($"{step.Process.Name} never waits: {MaxStepsAtOneInstant} steps at one instant. Of the last 200:{Environment.NewLine}{loop}");
                return;
            }
        }

        // A new context each time: no continuation is ever inlined into the call that completes its task, as each has captured another one.
        SynchronizationContext.SetSynchronizationContext(new SimContext(this, step.Process));
        _current = step;
        try
        {
            step.Callback(step.State);
        }
        catch (Exception exception)
        {
            Fail($"{step.Process.Name}: an exception nobody catches: {exception}");
        }
    }

    /// <summary>What runs now, for a watchdog on another thread.</summary>
    public string CurrentStep => Describe(_current);

    private static string Describe(Step step) =>
        $"{step.Process?.Name} {(step.State as Delegate)?.Target?.GetType().ToString() ?? step.Callback?.Method.ToString()}";

    private void CountStepOfLoop(Step step)
    {
        var name = Describe(step);
        _loop[name] = _loop.GetValueOrDefault(name) + 1;
    }

    private Step Take()
    {
        Step step;
        if (firstInFirstOut)
        {
            step = _ready[_firstReady++];
            if (_firstReady == _ready.Count)
            {
                _ready.Clear();
                _firstReady = 0;
            }

            return step;
        }

        var index = _ready.Count == 1 ? 0 : _random.Next(_ready.Count);
        step = _ready[index];
        _ready[index] = _ready[^1];
        _ready.RemoveAt(_ready.Count - 1);
        return step;
    }

    private bool GoToNextTimer(long end)
    {
        while (_timers.TryPeek(out var timer, out var priority))
        {
            if (!timer.IsQueuedAs(priority.Due))
            {
                _timers.Dequeue();
                continue;
            }

            if (priority.Due > end)
            {
                Now = end;
                return false;
            }

            _timers.Dequeue();
            if (priority.Due > Now)
            {
                Now = priority.Due;
                _stepsAtThisInstant = 0;
            }

            timer.Fire();
            return true;
        }

        return false;
    }

    private bool IsOwnThread(string what)
    {
        if (Environment.CurrentManagedThreadId == _thread || _thread == 0)
        {
            return true;
        }

        Fail($"{what} came from another thread: the seed no longer decides what happens.{Environment.NewLine}{Environment.StackTrace}");
        return false;
    }
}

/// <summary>What every await of a process captures: its continuation goes back to the scheduler, under the process's name.</summary>
internal sealed class SimContext(SimScheduler scheduler, SimProcess process) : SynchronizationContext, IPostsEveryContinuation
{
    public SimProcess Process => process;

    public override void Post(SendOrPostCallback d, object? state) => scheduler.Post(process, d, state);

    public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("A simulation never blocks.");

    public override SynchronizationContext CreateCopy() => this;
}

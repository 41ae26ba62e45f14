namespace Pub.Simulation.Kernel;

internal enum ProcessState
{
    Running,

    /// <summary>Nothing runs; its clocks go on (a long collection, a stopped container).</summary>
    Paused,

    /// <summary>Nothing runs, and its monotonic clock stands still (a suspended virtual machine).</summary>
    Suspended,

    /// <summary>Killed: nothing of it ever runs again, not even a finally block.</summary>
    Dead,
}

/// <summary>
/// One process of the simulated system: an instance with its clocks. What it awaits comes back to it while it lives.
/// </summary>
/// <remarks>Invariants: Dead is for ever; a restart is a new process. Held continuations and timers run, late, when it goes on.</remarks>
internal sealed class SimProcess
{
    private readonly SimScheduler _scheduler;
    private readonly List<(SendOrPostCallback Callback, object? State)> _held = [];
    private readonly List<SimTimer> _heldTimers = [];
    private readonly List<Action> _whenDead = [];

    public SimProcess(string name, SimScheduler scheduler, ClockSettings? clock = null)
    {
        Name = name;
        _scheduler = scheduler;
        Clock = new SimTimeProvider(this, scheduler, clock ?? new ClockSettings());
    }

    public string Name { get; }

    /// <summary>For timers that run inline; nothing of the system under test ever captures it.</summary>
    public SimContext OwnContext => field ??= new SimContext(_scheduler, this);

    public SimTimeProvider Clock { get; }

    public ProcessState State { get; private set; }

    public bool IsDead => State == ProcessState.Dead;

    /// <summary>For <see cref="PubRuntime"/>: begins work in a step of its own. A loop that ends with an error fails the run.</summary>
    public Task Start(Func<Task> work) => RunAsync(work);

    /// <summary>Runs code inside the process. The task ends cancelled when the process dies first.</summary>
    public Task<T> Do<T>(Func<Task<T>> work)
    {
        var answer = new TaskCompletionSource<T>();
        if (IsDead)
        {
            answer.SetCanceled();
            return answer.Task;
        }

        WhenDead(() => answer.TrySetCanceled());
        _scheduler.Post(this, _ => _ = AnswerAsync(work, answer), null);
        return answer.Task;
    }

    public Task Do(Func<Task> work) => Do(async () =>
    {
        await work();
        return true;
    });

    public void WhenDead(Action action) => _whenDead.Add(action);

    public void Kill()
    {
        if (IsDead)
        {
            return;
        }

        State = ProcessState.Dead;
        _held.Clear();
        _heldTimers.Clear();
        foreach (var action in _whenDead.ToArray())
        {
            action();
        }
    }

    public void Stop(bool suspend)
    {
        if (State == ProcessState.Running)
        {
            Clock.Stop(suspend);
            State = suspend ? ProcessState.Suspended : ProcessState.Paused;
        }
    }

    public void GoOn()
    {
        if (State is not (ProcessState.Paused or ProcessState.Suspended))
        {
            return;
        }

        Clock.GoOn();
        State = ProcessState.Running;
        foreach (var (callback, state) in _held)
        {
            _scheduler.Post(this, callback, state);
        }

        _held.Clear();
        var timers = _heldTimers.ToArray();
        _heldTimers.Clear();
        foreach (var timer in timers)
        {
            timer.Fire();
        }
    }

    public void Hold(SendOrPostCallback callback, object? state) => _held.Add((callback, state));

    public void Hold(SimTimer timer) => _heldTimers.Add(timer);

    private static async Task AnswerAsync<T>(Func<Task<T>> work, TaskCompletionSource<T> answer)
    {
        try
        {
            answer.TrySetResult(await work());
        }
        catch (OperationCanceledException)
        {
            answer.TrySetCanceled();
        }
        catch (Exception exception)
        {
            answer.TrySetException(exception);
        }
    }

    private async Task RunAsync(Func<Task> work)
    {
        await Task.Yield();
        try
        {
            await work();
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            _scheduler.Fail($"{Name}: a loop ended with an error nobody handles: {exception}");
            throw;
        }
    }
}

namespace Pub;

/// <summary>
/// Wakes one loop: set any number of times, by events or by its own timer, it lets one wait through. A wake-up says only "look again".
/// </summary>
internal sealed class AsyncSignal : IDisposable
{
    private readonly Lock _lock = new();
    private readonly ITimer _timer;
    private TaskCompletionSource? _waiter;
    private bool _isSet;

    public AsyncSignal(TimeProvider time)
    {
        _timer = time.CreateTimer(static state => ((AsyncSignal)state!).Set(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Set()
    {
        TaskCompletionSource? waiter;
        lock (_lock)
        {
            waiter = _waiter;
            _waiter = null;
            _isSet = waiter is null;
        }

        waiter?.TrySetResult();
    }

    /// <summary>Sets the signal later; replaces an earlier request. Never early: timers cut off what is less than a millisecond, and the loop would spin.</summary>
    public void SetAfter(TimeSpan due) => _timer.Change(
        due <= TimeSpan.Zero ? TimeSpan.Zero : TimeSpan.FromMilliseconds(Math.Ceiling(due.TotalMilliseconds)), Timeout.InfiniteTimeSpan);

    /// <summary>Waits for the next set, or passes at once if one is pending. One waiter at a time.</summary>
    public Task WaitAsync()
    {
        lock (_lock)
        {
            if (_isSet)
            {
                _isSet = false;
                return Task.CompletedTask;
            }

            _waiter ??= Completion.Source();
            return _waiter.Task;
        }
    }

    public void Dispose() => _timer.Dispose();
}

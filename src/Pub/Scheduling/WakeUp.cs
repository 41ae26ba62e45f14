namespace Pub.Scheduling;

/// <summary>
/// Wakes one loop: by a signal from anywhere, or by time. A signal that comes while the loop works ends its next wait at once. One waiter; everything
/// mutable is under <see cref="_lock"/>.
/// </summary>
internal sealed class WakeUp(TimeProvider time)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);

    private readonly Lock _lock = new();
    private TaskCompletionSource? _waiting;
    private bool _isSignalled;

    public void Signal()
    {
        TaskCompletionSource? waiting;
        lock (_lock)
        {
            waiting = _waiting;
            _waiting = null;
            _isSignalled = waiting is null;
        }

        waiting?.TrySetResult();
    }

    /// <summary>Waits for a signal, or until the time has passed; null: for a signal only.</summary>
    public async Task WaitAsync(TimeSpan? timeout)
    {
        Task signal;
        lock (_lock)
        {
            if (_isSignalled)
            {
                _isSignalled = false;
                return;
            }

            _waiting = Completion.Source();
            signal = _waiting.Task;
        }

        using var timer = timeout is { } limit
            ? time.CreateTimer(static wake => ((WakeUp)wake!).Signal(), this, limit < Shortest ? Shortest : limit, Timeout.InfiniteTimeSpan)
            : null;
        await signal;
    }
}

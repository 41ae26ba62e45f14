using Pub.Leases;

namespace Pub.Scheduling;

/// <summary>
/// Runs one lease's mover until it is given up or lost. Everything mutable is under <see cref="_lock"/>.
/// <code>
/// running → stopping → ended;  stopping → running when it takes too long;  lost: ended as soon as the round under way notices
/// </code>
/// </summary>
internal sealed class MoverLoop(LeaseGrant grant, MoverServices services, Action<LeaseGrant, string> lost) : IDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly LeaseMover _mover = new(grant, services);
    private readonly AsyncSignal _wake = new(services.Runtime.Time);
    private readonly CancellationTokenSource _cancelled = new();
    private readonly TaskCompletionSource _ended = Completion.Source();
    private bool _isStopping;
    private bool _isEnded;

    /// <summary>Whether it waits for something to do.</summary>
    public bool IsIdle { get; private set; }

    public void Signal() => _wake.Set();

    public void Lose()
    {
        _cancelled.Cancel();
        _wake.Set();
    }

    public void Dispose() => Lose();

    public async Task RunAsync()
    {
        var failures = 0;
        while (!TryEnd())
        {
            TimeSpan? pause;
            try
            {
                IsIdle = false;
                pause = await _mover.StepAsync(_cancelled.Token);
                failures = 0;
            }
            catch (OperationCanceledException) when (_cancelled.IsCancellationRequested)
            {
                continue;
            }
            catch (LeaseLostException e)
            {
                _cancelled.Cancel();
                lost(grant, e.Message);
                continue;
            }
            catch (Exception e)
            {
                ScheduleLog.StepFailed(services.Logger, grant.Lease, e);
                pause = services.Runtime.Jitter(FirstPause * Math.Min(1 << Math.Min(failures++, 10), LongestPause / FirstPause));
            }

            IsIdle = pause != TimeSpan.Zero;
            if (IsIdle)
            {
                // Null: nothing is to be done unless there is news.
                if (pause is { } wait)
                {
                    _wake.SetAfter(wait);
                }

                await _wake.WaitAsync();
            }
        }

        _wake.Dispose();
        _ended.TrySetResult();
    }

    /// <summary>Ends after the round under way, and stores what is moved. False: it took too long, or could not be stored; it runs on if it can.</summary>
    public async Task<bool> TryStopAsync(TimeSpan patience)
    {
        lock (_lock)
        {
            _isStopping = true;
        }

        _wake.Set();
        await Task.WhenAny(_ended.Task, services.Runtime.Delay(patience, CancellationToken.None));
        lock (_lock)
        {
            if (!_isEnded)
            {
                _isStopping = false;
                return false;
            }
        }

        try
        {
            await _mover.SaveAsync();
            return _mover.IsKnown && !_cancelled.IsCancellationRequested;
        }
        catch (PubException)
        {
            return false;
        }
    }

    /// <summary>Whether the lease was ended without a release: it is to be started anew.</summary>
    public bool HasEnded
    {
        get
        {
            lock (_lock)
            {
                return _isEnded;
            }
        }
    }

    private bool TryEnd()
    {
        lock (_lock)
        {
            return _isEnded = _isStopping || _cancelled.IsCancellationRequested;
        }
    }
}

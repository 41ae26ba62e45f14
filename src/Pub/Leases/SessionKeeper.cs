using Microsoft.Extensions.Logging;
using Pub.Storage;

namespace Pub.Leases;

/// <summary>
/// Owns the process's session of one store: makes it, makes a new one when it is lost, and owns the monitor of everybody's. After
/// <see cref="GetAsync"/> watch <see cref="Session.Lost"/>, then call it again.
/// </summary>
/// <remarks>At most one session of a keeper is good. <c>_next</c> and <c>_running</c> are guarded by <c>_lock</c>.</remarks>
/// <param name="store">The store.</param>
/// <param name="runtime">Time and randomness.</param>
/// <param name="timings">Checked by the options.</param>
/// <param name="name">Host and process, for people.</param>
/// <param name="logger">Where it logs.</param>
/// <param name="removeTemporary">
/// Removes a temporary subscription that a session named, which has been dead for <see cref="LeaseTimings.DeadRetention"/>. May be called again, and by
/// several instances at once. Null: what has temporary subscriptions is left to others.
/// </param>
internal sealed class SessionKeeper(
    IDocumentStore store, PubRuntime runtime, LeaseTimings timings, string name, ILogger logger, Func<SubscriptionName, string, Task>? removeTemporary = null)
    : IAsyncDisposable
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop = new();
    private TaskCompletionSource<Session> _next = Completion.Source<Session>();
    private Task? _running;

    public IDocumentStore Store { get; } = store;

    public PubRuntime Runtime { get; } = runtime;

    public LeaseTimings Timings { get; } = timings;

    public SessionMonitor Monitor { get; } = new(store, runtime, timings, logger, removeTemporary);

    /// <summary>The present session, good or not; null before the first one is made.</summary>
    public Session? Current { get; private set; }

    /// <summary>Begins. Returns at once; may be called again.</summary>
    public void Start()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_stop.IsCancellationRequested, this);
            _running ??= Task.WhenAll(Runtime.Start(KeepAsync), Runtime.Start(() => Monitor.RunAsync(_stop.Token)));
        }
    }

    /// <summary>A good session, as soon as there is one.</summary>
    /// <exception cref="ObjectDisposedException">The keeper is stopped.</exception>
    /// <exception cref="DocumentFormatException">The directory of sessions cannot be read: damaged, or of a newer program.</exception>
    public async Task<Session> GetAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            Task<Session> next;
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_stop.IsCancellationRequested, this);
                next = _next.Task;
            }

            var session = await next.WaitAsync(cancellationToken);
            if (session.IsGood)
            {
                return session;
            }

            // It was lost, and the loop has not noticed yet, or just now.
            Renew(session);
        }
    }

    /// <summary>Ends the session and removes it from the store. Stop the lease keepers first.</summary>
    public async Task StopAsync()
    {
        Task? running;
        lock (_lock)
        {
            running = _running;
        }

        _stop.Cancel();
        if (running is not null)
        {
            await running;
        }

        lock (_lock)
        {
            _next.TrySetException(new ObjectDisposedException(nameof(SessionKeeper)));
            _ = _next.Task.Exception;
        }

        if (Current is { } last)
        {
            await last.StopAsync();
        }
    }

    public ValueTask DisposeAsync() => new(StopAsync());

    private async Task KeepAsync()
    {
        var pause = TimeSpan.FromMilliseconds(100);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var session = await Session.StartAsync(Store, Runtime, Timings, name, logger, _stop.Token);
                pause = TimeSpan.FromMilliseconds(100);
                Offer(session);
                await EndAsync(session);
                Renew(session);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // the one broad catch of this loop
            catch (Exception e)
#pragma warning restore CA1031
            {
                logger.SessionNotMade(e, pause);
                Refuse(e as DocumentFormatException);
                await Runtime.Delay(Runtime.Jitter(pause), _stop.Token)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }
    }

    private void Offer(Session session)
    {
        Current = session;
        lock (_lock)
        {
            _next.TrySetResult(session);
        }
    }

    /// <summary>What waiting does not mend is told to those who wait; later ones may find it mended.</summary>
    private void Refuse(DocumentFormatException? exception)
    {
        lock (_lock)
        {
            if (exception is not null && _next.TrySetException(exception))
            {
                _ = _next.Task.Exception;
                _next = Completion.Source<Session>();
            }
        }
    }

    /// <summary>Whoever asks from now on waits for the next session.</summary>
    private void Renew(Session lost)
    {
        lock (_lock)
        {
            if (_next.Task is { IsCompletedSuccessfully: true, Result: var offered } && offered == lost)
            {
                _next = Completion.Source<Session>();
            }
        }
    }

    /// <summary>Until the session is lost or the keeper is stopped.</summary>
    private async Task EndAsync(Session session)
    {
        var ended = Completion.Source();
        using var lost = session.Lost.UnsafeRegister(static e => ((TaskCompletionSource)e!).TrySetResult(), ended);
        using var stopped = _stop.Token.UnsafeRegister(static e => ((TaskCompletionSource)e!).TrySetResult(), ended);
        await ended.Task;
    }
}

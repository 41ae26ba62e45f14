using Microsoft.Extensions.Logging;
using Pub.Leases;
using Pub.Topology;

namespace Pub.Subscriptions;

/// <summary>
/// Ties a temporary subscription to its process's session: named in the session before the subscription exists, so that whoever finds the session dead
/// removes it (executions.md 23); declared anew under the next session when one is lost; removed at the end.
/// </summary>
internal sealed class TemporaryMembership(SessionKeeper sessions, ISubscriptionRegistry registry, SubscriptionDeclaration declaration, ILogger logger)
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _ended = new();
    private Session? _named;
    private Session? _joined;
    private Task _following = Task.CompletedTask;

    /// <summary>Declares the subscription under the present session.</summary>
    public async Task<SubscriptionView> JoinAsync(CancellationToken cancellationToken)
    {
        var session = await sessions.GetAsync(cancellationToken);
        _named = session;
        await session.AddTemporaryAsync(declaration.Name);
        var view = await registry.DeclareAsync(declaration with { TemporarySession = session.Id }, cancellationToken);
        _joined = session;
        return view;
    }

    /// <summary>Joins again whenever the session is lost.</summary>
    public void Follow() => _following = sessions.Runtime.Start(FollowAsync);

    /// <summary>Removes the subscription, also one that was declared in part only; what it still holds is lost.</summary>
    public async Task LeaveAsync()
    {
        _ended.Cancel();
        await _following;
        if (_named is not { } session)
        {
            return;
        }

        try
        {
            await registry.RemoveTemporaryAsync(declaration.Name, session.Id);
            await session.RemoveTemporaryAsync(declaration.Name);
        }
        catch (PubException e)
        {
            // Whoever finds the session gone removes it.
            SubscriptionLog.TemporaryLeft(logger, declaration.Name, e);
        }
    }

    private async Task FollowAsync()
    {
        while (!_ended.IsCancellationRequested)
        {
            try
            {
                await Lost(_joined!).WaitAsync(_ended.Token);
                await JoinAsync(_ended.Token);
            }
            catch (Exception e) when (_ended.IsCancellationRequested || e is ObjectDisposedException)
            {
                return;
            }
            catch (Exception e)
            {
                SubscriptionLog.TemporaryRetried(logger, declaration.Name, RetryPause, e);
                await sessions.Runtime.Delay(RetryPause, _ended.Token)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            }
        }
    }

    private static Task Lost(Session session)
    {
        var lost = Completion.Source();
        session.Lost.UnsafeRegister(static source => ((TaskCompletionSource)source!).TrySetResult(), lost);
        return lost.Task;
    }
}

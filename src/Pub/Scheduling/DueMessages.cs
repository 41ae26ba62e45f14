using Pub.Topics;

namespace Pub.Scheduling;

/// <summary>
/// Publishes messages whose time has come. What cannot be published goes back into the present bucket, due a little later, so that it stops nothing else; either way
/// it is moved. Holds no state.
/// </summary>
internal sealed class DueMessages(MoverServices services)
{
    private const int TokensAtATime = 64;

    /// <summary>Publishes all, and returns when each is published or back in a bucket.</summary>
    /// <exception cref="OperationCanceledException">The lease is lost or given up: some may be published, none is marked.</exception>
    public async Task PublishAsync(IReadOnlyList<ScheduleEnvelope> due, CancellationToken cancellationToken)
    {
        var failed = await EnsureTargetsAsync(due);

        // The calls are made in order, and so keep the order of each key; then they are waited for.
        var running = new List<Task>();
        foreach (var envelope in due.Where(envelope => envelope.Token is null))
        {
            running.Add(MoveAsync(envelope, PublishAsync(envelope.Scheduled, failed), cancellationToken));
        }

        await Task.WhenAll(running);
        foreach (var some in due.Where(envelope => envelope.Token is not null).Chunk(TokensAtATime))
        {
            cancellationToken.ThrowIfCancellationRequested();
            await Task.WhenAll(some.Select(envelope => MoveAsync(envelope, services.Tokens.MoveAsync(envelope.Token!, envelope.ScheduleId!), cancellationToken)));
        }
    }

    /// <summary>Before any call, since a wait between two calls would change their order. Answers the targets that could not be made.</summary>
    private async Task<Dictionary<TopicName, Exception>> EnsureTargetsAsync(IEnumerable<ScheduleEnvelope> due)
    {
        var failed = new Dictionary<TopicName, Exception>();
        foreach (var target in due.Where(envelope => envelope.Token is null && !envelope.Scheduled.Options.OnlyIfExists).Select(envelope => envelope.Scheduled.Target).Distinct())
        {
            try
            {
                await services.Targets.EnsureAsync(target);
            }
            catch (PubException e)
            {
                failed[target] = e;
            }
        }

        return failed;
    }

    private async Task PublishAsync(ScheduledMessage due, Dictionary<TopicName, Exception> failed)
    {
        if (failed.TryGetValue(due.Target, out var reason))
        {
            throw new StoreUnavailableException($"{due.Target} could not be made; nothing was published.", reason);
        }

        await services.Targets.PublishAsync(due);
    }

    private async Task MoveAsync(ScheduleEnvelope envelope, Task move, CancellationToken cancellationToken)
    {
        try
        {
            await move;
        }
        catch (Exception e)
        {
            ScheduleLog.MoveFailed(services.Logger, envelope.ScheduleId ?? envelope.Scheduled.Message.Id!, envelope.Token ?? envelope.Scheduled.Target.ToString(), e);
            await PutBackAsync(envelope, cancellationToken);
        }
    }

    private async Task PutBackAsync(ScheduleEnvelope envelope, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                var due = services.Runtime.Time.GetUtcNow() + services.Timings.RetryAfter;
                await services.Buckets.AppendAsync(
                    envelope.Token is { } token
                        ? ScheduleHeader.TokenLine(token, envelope.ScheduleId!, due)
                        : ScheduleHeader.Wrap(envelope.Scheduled with { Due = due }),
                    due);
                return;
            }
            catch (PubException e) when (e.IsTransient)
            {
                await Retry.PauseAsync(services.Runtime, attempt, cancellationToken);
            }
        }
    }
}

using Pub;

namespace MassTransit.PubTransport;

/// <summary>
/// Whether the store answers, for all endpoints of a bus at the cost of one read per interval.
/// <code>
/// at most one check is under way; its answer is shared until the interval has passed
/// </code>
/// One lock; the check runs outside of it.
/// </summary>
internal sealed class StoreHealth
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly Lock _lock = new();
    private Task<Exception?>? _last;
    private long _lastAt;

    /// <summary>How often a running endpoint asks; also how long an answer is shared.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Why the store cannot be read; null if it can.</summary>
    public Task<Exception?> FindFaultAsync(PubClient client)
    {
        var time = client.Core.Time;
        lock (_lock)
        {
            if (_last is null || (_last.IsCompleted && time.GetElapsedTime(_lastAt) >= Interval))
            {
                _lastAt = time.GetTimestamp();
                _last = CheckAsync(client);
            }

            return _last;
        }
    }

    private static async Task<Exception?> CheckAsync(PubClient client)
    {
        using var limit = new CancellationTokenSource(Patience, client.Core.Time);
        try
        {
            return (await new PubHealth(client).CheckAsync(limit.Token)).StoreFault;
        }
        catch (OperationCanceledException e)
        {
            return new StoreUnavailableException($"The store has not answered within {Patience}.", e);
        }
    }
}

using Microsoft.Extensions.Logging;
using Pub.Leases;

namespace Pub.Scheduling;

/// <summary>
/// This process's share of moving due messages: keeps leases, and runs a loop for each. One per process and named store. Everything mutable is under <see cref="_lock"/>.
/// <code>
/// a lease that is held has a loop, or is being asked for anew
/// the feed runs while there is a loop
/// </code>
/// </summary>
internal sealed class ScheduleMovers : ILeaseHolder, IAsyncDisposable
{
    private static readonly LeaseScope Scope = new(SubscriptionName.Plain("pub.scheduling"), "1", BucketName.Shards);

    private readonly Lock _lock = new();
    private readonly MoverServices _services;
    private readonly LeaseKeeper _keeper;
    private readonly SortedDictionary<int, (LeaseGrant Grant, MoverLoop Loop)> _loops = [];

    public ScheduleMovers(MoverServices services, SessionKeeper sessions, ILogger logger)
    {
        _services = services;
        _services.Feed.Changed = Signal;
        _keeper = new LeaseKeeper(sessions, Scope, this, logger);
    }

    /// <summary>Joins those who move. Returns when the first leases are claimed.</summary>
    public Task StartAsync(CancellationToken cancellationToken = default) => _keeper.StartAsync(cancellationToken);

    /// <summary>Gives up all leases: others go on at once, without repeating anything.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        await _keeper.StopAsync(patience);
        _services.Feed.Stop();
    }

    public void Take(LeaseGrant grant)
    {
#pragma warning disable CA2000 // disposed of by Remove
        var loop = new MoverLoop(grant, _services, _keeper.RequestLose);
#pragma warning restore CA2000
        lock (_lock)
        {
            _loops[grant.Lease] = (grant, loop);
        }

        _services.Feed.Start();
        _ = _services.Runtime.Start(loop.RunAsync);
    }

    public bool IsIdle(int lease) => Find(lease) is not { } held || held.Loop.IsIdle;

    public async Task<bool> TryGiveUpAsync(int lease, TimeSpan patience)
    {
        if (Find(lease) is not { } held)
        {
            return false;
        }

        if (await held.Loop.TryStopAsync(patience))
        {
            Remove(lease);
            return true;
        }

        if (held.Loop.HasEnded)
        {
            // Its last write has no known outcome. The token is of no more use: claimed anew, a higher one settles it.
            _keeper.RequestLose(held.Grant, "The progress of the schedules could not be stored.");
        }

        return false;
    }

    public void Lose(int lease, string reason) => Remove(lease);

    public async ValueTask DisposeAsync() => await StopAsync(TimeSpan.Zero);

    private (LeaseGrant Grant, MoverLoop Loop)? Find(int lease)
    {
        lock (_lock)
        {
            return _loops.TryGetValue(lease, out var held) ? held : null;
        }
    }

    private void Remove(int lease)
    {
        MoverLoop? loop = null;
        bool isLast;
        lock (_lock)
        {
            if (_loops.Remove(lease, out var held))
            {
                loop = held.Loop;
            }

            isLast = _loops.Count == 0;
        }

        loop?.Dispose();
        if (isLast)
        {
            StopFeed();
        }
    }

    /// <summary>A lease taken meanwhile has found the feed running, which must not end under it.</summary>
    private void StopFeed()
    {
        _services.Feed.Stop();
        bool isNeeded;
        lock (_lock)
        {
            isNeeded = _loops.Count > 0;
        }

        if (isNeeded)
        {
            _services.Feed.Start();
        }
    }

    private void Signal()
    {
        List<MoverLoop> loops;
        lock (_lock)
        {
            loops = [.. _loops.Values.Select(held => held.Loop)];
        }

        loops.ForEach(loop => loop.Signal());
    }
}

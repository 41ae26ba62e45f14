using Microsoft.Extensions.Logging.Abstractions;
using Pub.Leases;
using Pub.Scheduling;

namespace Pub.Tests.Scheduling;

/// <summary>The loops themselves, under real leases; the clock is moved while they run.</summary>
public class ScheduleMoversTests : SchedulingTest
{
    [Fact]
    public async Task Movers_OneProcess_PublishWhenDue()
    {
        var sessions = Sessions(Process);
        await using var movers = await StartAsync(Process, sessions);
        await Process.ScheduleAsync("a", TimeSpan.FromSeconds(3));
        await Process.ScheduleAsync("token", "b", TimeSpan.FromSeconds(4));
        await UntilPublishedAsync(2);
        Assert.Equal(["a", "b"], await Process.PublishedAsync());
        await Process.Run(movers.StopAsync(TimeSpan.FromSeconds(1)));
        await Process.Run(sessions.StopAsync());
    }

    [Fact]
    public async Task Movers_OneProcessStops_AnotherGoesOnWithoutRepeating()
    {
        var first = Sessions(Process);
        var other = new SchedulingProcess(Store, Clock, 2);
        var second = Sessions(other);
        var movers = await StartAsync(Process, first);
        for (var i = 0; i < 60; i++)
        {
            await Process.ScheduleAsync(i.ToString("00"), TimeSpan.FromSeconds(5 + (i / 2.0)));
        }

        await UntilPublishedAsync(20);
        await using var others = await StartAsync(other, second);
        await Process.Run(movers.StopAsync(TimeSpan.FromSeconds(5)));
        await UntilPublishedAsync(60);
        Assert.Equal(Enumerable.Range(0, 60).Select(i => i.ToString("00")), await Process.PublishedAsync());
        await Process.Run(others.StopAsync(TimeSpan.FromSeconds(1)));
        await Process.Run(first.StopAsync());
        await Process.Run(second.StopAsync());
    }

    private static SessionKeeper Sessions(SchedulingProcess process)
    {
        var sessions = new SessionKeeper(process.Store, process.Runtime, LeaseTimings.Default, "test", NullLogger.Instance);
        sessions.Start();
        return sessions;
    }

    private static async Task<ScheduleMovers> StartAsync(SchedulingProcess process, SessionKeeper sessions)
    {
        var movers = new ScheduleMovers(process.Services, sessions, NullLogger.Instance);
        await process.Run(movers.StartAsync(Cancel));
        return movers;
    }

    private async Task UntilPublishedAsync(int count)
    {
        var limit = Environment.TickCount64 + 30_000;
        while ((await Process.PublishedAsync()).Length < count)
        {
            Assert.True(Environment.TickCount64 < limit, $"{count} messages are not published.");
            Clock.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Delay(2, Cancel);
        }
    }
}

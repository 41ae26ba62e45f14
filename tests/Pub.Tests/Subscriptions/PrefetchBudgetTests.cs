using Microsoft.Extensions.Time.Testing;
using Pub.Subscriptions;

namespace Pub.Tests.Subscriptions;

public sealed class PrefetchBudgetTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Room_MessagesOrBytesTaken_IsWhatFits()
    {
        var budget = new PrefetchBudget(10, 1_000);
        budget.Take(4, 999);
        Assert.Equal(6, budget.Room);
        budget.Take(0, 1);
        Assert.Equal(0, budget.Room);
        budget.Release(4, 1_000);
        Assert.Equal(10, budget.Room);
        budget.Take(12, 1);
        Assert.Equal(0, budget.Room);
    }

    [Fact]
    public void Release_AnEighthIsFree_WakesEverybodyWhoWaits()
    {
        var budget = new PrefetchBudget(80, 1_000);
        using AsyncSignal first = new(_time), second = new(_time);
        budget.Take(80, 80);
        budget.WaitForRoom(first);
        budget.WaitForRoom(second);
        Task[] waits = [first.WaitAsync(), second.WaitAsync()];

        budget.Release(10, 10);
        Assert.DoesNotContain(waits, wait => wait.IsCompleted);
        budget.Release(1, 1);

        Assert.All(waits, wait => Assert.True(wait.IsCompleted));
    }

    [Fact]
    public void UseRoom_LongHandlersHoldMostOfIt_WakesWhoWaitsForTheRest()
    {
        var budget = new PrefetchBudget(80, 1_000);
        using AsyncSignal signal = new(_time);
        budget.Take(80, 80);
        budget.WaitForRoom(signal);
        var wait = signal.WaitAsync();
        budget.UseRoom();
        Assert.False(wait.IsCompleted);

        budget.Release(1, 1);
        budget.UseRoom();

        Assert.True(wait.IsCompleted);
    }

    [Fact]
    public void WaitForRoom_MuchIsFree_WakesAtOnce()
    {
        var budget = new PrefetchBudget(1, 1_000);
        using AsyncSignal signal = new(_time);

        budget.WaitForRoom(signal);

        Assert.True(signal.WaitAsync().IsCompleted);
    }

    [Fact]
    public void AsyncSignal_SetSeveralTimes_LetsOneWaitThrough()
    {
        using AsyncSignal signal = new(_time);
        signal.Set();
        signal.Set();
        Assert.True(signal.WaitAsync().IsCompleted);
        var wait = signal.WaitAsync();
        Assert.False(wait.IsCompleted);
        signal.Set();
        Assert.True(wait.IsCompleted);
    }

    [Fact]
    public void SetAfter_PartOfAMillisecond_IsNeverEarly()
    {
        using AsyncSignal signal = new(_time);
        signal.SetAfter(TimeSpan.FromMilliseconds(1.2));
        var wait = signal.WaitAsync();
        _time.Advance(TimeSpan.FromMilliseconds(1.1));
        Assert.False(wait.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(wait.IsCompleted);
    }

    [Fact]
    public async Task AsyncSignal_SetFromManyThreads_NoWakeUpIsLost()
    {
        using AsyncSignal signal = new(TimeProvider.System);
        var given = 0;
        var setters = Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 20_000; i++)
            {
                Interlocked.Increment(ref given);
                signal.Set();
            }
        })).ToArray();

        while (Volatile.Read(ref given) < 80_000)
        {
            await signal.WaitAsync().WaitAsync(TimeSpan.FromSeconds(20), ReaderFixture.Cancellation);
        }

        await Task.WhenAll(setters);
    }
}

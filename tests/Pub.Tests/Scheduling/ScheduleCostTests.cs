using Pub.Scheduling;
using Pub.Storage;
using Pub.Testing;
using static Pub.Tests.Scheduling.SchedulingProcess;

namespace Pub.Tests.Scheduling;

public class ScheduleCostTests : SchedulingTest
{
    /// <summary>What 100,000 messages of one second cost: a store that syncs 2,000 times a second moves them within five with room to spare.</summary>
    [Fact]
    public async Task Move_100000InOneSecond_CostsFewOperations()
    {
        const int count = 100_000;
        var store = new ScriptedStore(Store);
        var process = new SchedulingProcess(store, Clock, 2);
        var due = Clock.GetUtcNow() + TimeSpan.FromSeconds(20);
        var messages = Enumerable.Range(0, count).Select(i => new ScheduledMessage(Orders, Message(i.ToString("000000")), due)).ToList();
        await process.Run(process.Scheduler.ScheduleManyAsync(messages, Cancel).AsTask());
        var scheduling = store.Calls.Count;
        store.ClearCalls();

        await process.MoveForAsync(TimeSpan.FromSeconds(20));
        var writes = store.Calls.Count(call => call.Operation is not (StoreOperation.Get or StoreOperation.Wait or StoreOperation.Epoch));
        var syncs = store.Calls.Count(call => call.Durable);
        var published = await Process.PublishedAsync();
        Assert.Equal(count, published.Length);
        Assert.Equal(count, published.Distinct().Count());
        TestContext.Current.TestOutputHelper!.WriteLine($"scheduling {scheduling} operations; moving {writes} writes, {syncs} of them synced, {store.Calls.Count - writes} reads");
        Assert.InRange(scheduling, 1, count / 100);

        // How full entries get depends on how the threads run; a message at a time would be more than two writes each.
        Assert.InRange(writes, 1, count / 3);
        Assert.InRange(store.Calls.Count - writes, 1, count / 100);
    }

    [Fact]
    public async Task Feed_NothingScheduled_ReadsOneDocument()
    {
        var store = new ScriptedStore(Store);
        var process = new SchedulingProcess(store, Clock, 2);
        await process.MoveAsync();
        store.ClearCalls();
        await process.MoveForAsync(TimeSpan.FromSeconds(10));
        Assert.All(store.Calls, call => Assert.Equal((StoreOperation.Get, "days"), (call.Operation, call.Key.Id)));
        Assert.Equal(10, store.Calls.Count);
    }

    [Fact]
    public async Task Schedule_OneMore_CostsOneReservationAndOneInsert()
    {
        var store = new ScriptedStore(Store);
        var process = new SchedulingProcess(store, Clock, 2);
        await process.ScheduleAsync("a", TimeSpan.FromSeconds(5));
        store.ClearCalls();
        await process.ScheduleAsync("b", TimeSpan.FromSeconds(5));
        Assert.Equal([StoreOperation.Increment, StoreOperation.Insert], store.Calls.Select(call => call.Operation));
    }
}

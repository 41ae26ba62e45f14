using Pub.Storage;
using Pub.Testing;
using Pub.Topics;
using static Pub.Tests.Scheduling.SchedulingProcess;

namespace Pub.Tests.Scheduling;

public class ScheduleFaultTests : SchedulingTest
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);
    private static readonly StoreOperation[] Writes = [StoreOperation.Insert, StoreOperation.Replace, StoreOperation.Remove];

    /// <summary>Every write of a move in turn has no known outcome, once with and once without effect.</summary>
    [Theory]
    [InlineData(StoreFault.UnknownApplied)]
    [InlineData(StoreFault.UnknownNotApplied)]
    [InlineData(StoreFault.Unavailable)]
    public async Task Move_AnyWriteOfTheTokenFailsOnce_IsPublishedOnce(StoreFault fault)
    {
        foreach (var operation in Writes)
        {
            for (var skipped = 0; skipped < 4; skipped++)
            {
                await using var test = new ScheduleFaultTests();
                await test.Process.ScheduleAsync("token", "a", Soon);
                var store = new ScriptedStore(test.Store);
                var left = skipped;
                store.Fail(operation, fault, key => (key.Id.StartsWith("token/", StringComparison.Ordinal) || IsEntryOfOrders(key)) && left-- == 0);
                await new SchedulingProcess(store, test.Clock, 2).MoveForAsync(TimeSpan.FromMinutes(4));
                Assert.Equal(["a"], await test.Process.PublishedAsync());
                Assert.Empty(await test.Process.LogsAsync());
            }
        }
    }

    /// <summary>What waiting does not mend, met both while publishing and while putting back.</summary>
    [Fact]
    public async Task Move_NeitherPublishedNorPutBack_IsMovedLater()
    {
        await Process.ScheduleAsync("a", Soon);
        await Process.ScheduleAsync("later", Soon * 3);
        var store = new ScriptedStore(Store);
        var mover = new SchedulingProcess(store, Clock, 2);
        var isBroken = true;
        store.Decide = call => isBroken && call.Operation == StoreOperation.Increment
            ? new StoreRule { Operation = call.Operation, Before = () => throw new DocumentFormatException("Told to fail.") }
            : null;
        await mover.MoveForAsync(Soon - TimeSpan.FromSeconds(1));

        await Assert.ThrowsAsync<DocumentFormatException>(() => mover.MoveForAsync(TimeSpan.FromSeconds(2)));
        isBroken = false;
        await mover.MoveForAsync(TimeSpan.FromMinutes(4));

        Assert.Equal(["a", "later"], await Process.PublishedAsync());
        Assert.Empty(await Process.LogsAsync());
    }

    [Theory]
    [InlineData(StoreFault.UnknownApplied)]
    [InlineData(StoreFault.UnknownNotApplied)]
    public async Task Cancel_OutcomeUnknown_AnswersWhatIsSo(StoreFault fault)
    {
        await Process.ScheduleAsync("token", "a", Soon);
        var store = new ScriptedStore(Store);
        store.Fail(StoreOperation.Replace, fault);
        Assert.Equal(CancelResult.Cancelled, await new SchedulingProcess(store, Clock, 2).CancelAsync("token"));
        await Process.MoveForAsync(TimeSpan.FromMinutes(1));
        Assert.Empty(await Process.PublishedAsync());
    }

    /// <summary>Each kind of write fails now and then while messages are scheduled, moved and tidied up.</summary>
    [Theory]
    [InlineData(StoreFault.UnknownApplied)]
    [InlineData(StoreFault.UnknownNotApplied)]
    [InlineData(StoreFault.Unavailable)]
    public async Task Schedule_StoreFailsNowAndThen_NothingIsLost(StoreFault fault)
    {
        var store = new ScriptedStore(Store);
        var count = 0;
        foreach (var operation in Writes)
        {
            store.Fail(operation, fault, _ => Interlocked.Increment(ref count) % 5 == 0, times: 40);
        }

        var process = new SchedulingProcess(store, Clock);
        var confirmed = new List<string>();
        for (var i = 0; i < 40; i++)
        {
            if (await Record.ExceptionAsync(() => process.ScheduleAsync(i.ToString("00"), Soon)) is null)
            {
                confirmed.Add(i.ToString("00"));
            }
        }

        for (var second = 0; second < 300; second++)
        {
            await Record.ExceptionAsync(() => process.MoveForAsync(TimeSpan.FromSeconds(1)));
        }

        var published = await Process.PublishedAsync();
        Assert.Empty(confirmed.Except(published));
        Assert.Empty(await Process.LogsAsync());
    }

    [Fact]
    public async Task Move_OneTargetCannotBeWritten_OthersAreNotHeldUp()
    {
        var bad = TopicName.Topic("bad");
        await Process.Topics.GetOrCreateAsync(bad, cancellationToken: Cancel);
        await Process.Run(Process.Scheduler.ScheduleAsync(bad, Message("late"), Clock.GetUtcNow() + Soon, Cancel).AsTask());
        await Process.ScheduleAsync("a", Soon);
        var store = new ScriptedStore(Store);
        var isBroken = true;
        store.Fail(StoreOperation.Increment, StoreFault.Unavailable, key => isBroken && key.Id.StartsWith("t:bad", StringComparison.Ordinal), times: int.MaxValue);
        var mover = new SchedulingProcess(store, Clock, 2);
        await mover.MoveForAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(["a"], await Process.PublishedAsync());
        isBroken = false;
        await mover.MoveForAsync(TimeSpan.FromSeconds(120));
        Assert.Equal(["late"], await Process.PublishedAsync(bad));
    }

    /// <summary>executions.md 3 for buckets: a failover takes the tail back, and what lies above is found.</summary>
    [Fact]
    public async Task Move_TailFell_FindsWhatIsAbove()
    {
        for (var i = 0; i < 8; i++)
        {
            await Process.ScheduleAsync(i.ToString(), Soon);
        }

        var log = Assert.Single(await Process.LogsAsync());
        var key = DocumentKeys.Topic(log.Topic, 0);
        var stored = await Store.GetAsync(key, Cancel);
        var document = TopicDocument.Read(log.Topic, 0, stored)!;
        await Store.ReplaceAsync(key, (document with { Tails = [0, 0, 0, 0] }).Write(), stored.Cas, WriteOptions.Synced);
        var store = new ScriptedStore(Store) { Epochs = _ => new Epoch(1, 1) };
        await new SchedulingProcess(store, Clock, 2).MoveForAsync(Soon);
        Assert.Equal(8, (await Process.PublishedAsync()).Length);
    }

    private static bool IsEntryOfOrders(DocumentKey key) => key.Collection == DocumentCollection.Messages && key.Id.StartsWith("t:orders/", StringComparison.Ordinal);
}

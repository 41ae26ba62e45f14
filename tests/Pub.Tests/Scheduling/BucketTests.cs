using Microsoft.Extensions.Time.Testing;
using Pub.Scheduling;
using Pub.Storage;
using Pub.Testing;
using Pub.Tests.Topology;
using Pub.Topics;
using static Pub.Tests.Scheduling.SchedulingProcess;

namespace Pub.Tests.Scheduling;

public class BucketTests : SchedulingTest
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);

    /// <summary>executions.md 18: the publisher knows the log, its clock is five minutes behind, and the log is moved, closed and gone.</summary>
    [Fact]
    public async Task Execution18_ClockBehind_KnownLogIsGone_IsPublishedAtOnce()
    {
        await Process.ScheduleAsync("before", Soon);
        await Process.MoveForAsync(TimeSpan.FromMinutes(5));
        var behind = new SchedulingProcess(Store, new FakeTimeProvider(Clock.GetUtcNow() - TimeSpan.FromMinutes(5)), 9);
        await Process.ScheduleAsync("present", Soon);

        // Its writer was made when the first log was open.
        await behind.ScheduleAsync("a", Soon);
        await Process.MoveAsync();
        Assert.Equal(["a", "before"], await Process.PublishedAsync());
    }

    /// <summary>executions.md 18: a late append is refused by a closed log and goes elsewhere, at every moment of closing.</summary>
    [Fact]
    public async Task Execution18_AppendAtAnyMomentOfClosing_IsPublishedOnce()
    {
        var behind = new SchedulingProcess(Store, new FakeTimeProvider(Clock.GetUtcNow()), 9);
        var expected = new List<string>();
        for (var second = 0; second < 300; second++)
        {
            var text = second.ToString("000");
            await behind.ScheduleAsync(text, TimeSpan.Zero);
            expected.Add(text);
            await Process.MoveForAsync(TimeSpan.FromSeconds(1));
            Assert.Equal(expected, await Process.PublishedAsync());
        }

        await Process.MoveForAsync(TimeSpan.FromMinutes(4));
        Assert.Equal(expected, await Process.PublishedAsync());
        Assert.Empty(await Process.LogsAsync());
    }

    /// <summary>executions.md 18: at the very last moment before a moved log is removed, an append is refused; with the rule left out it is lost.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Execution18_AppendJustBeforeRemoval_IsPublishedIfLogsAreClosed(bool isPublished)
    {
        var broken = isPublished ? BrokenRules.None : BrokenRules.NoClosedBuckets;
        var late = new SchedulingProcess(Store, new FakeTimeProvider(Clock.GetUtcNow()), 9);
        await late.ScheduleAsync("before", Soon);
        var log = Assert.Single(await late.LogsAsync()).Topic;
        var store = new ScriptedStore(Store);
        var removal = store.Add(new StoreRule
        {
            Operation = StoreOperation.Remove,
            Where = key => key == DocumentKeys.Topic(log, 0),
            Before = () => late.ScheduleAsync("late", Soon),
        });
        await new SchedulingProcess(store, Clock, broken: broken).MoveForAsync(TimeSpan.FromMinutes(4));
        Assert.True(removal.Reached.IsCompleted);
        Assert.Equal(isPublished ? ["before", "late"] : ["before"], await Process.PublishedAsync());
    }

    /// <summary>A slow clock costs about one log a minute, not one a message.</summary>
    [Fact]
    public async Task Schedule_ClockBehind_NeedsFewLogs()
    {
        var behind = new SchedulingProcess(Store, new FakeTimeProvider(Clock.GetUtcNow() - TimeSpan.FromMinutes(10)), 9);
        var logs = new HashSet<BucketName>();
        for (var second = 0; second < 240; second++)
        {
            await behind.ScheduleAsync(second.ToString("000"), TimeSpan.Zero);
            behind.Clock.Advance(TimeSpan.FromSeconds(1));
            logs.UnionWith(await Process.LogsAsync());
            await Process.MoveForAsync(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(240, (await Process.PublishedAsync()).Length);
        Assert.InRange(logs.Count, 1, 8);
    }

    [Fact]
    public async Task Schedule_ClockAhead_IsDelayedNotLost()
    {
        var ahead = new SchedulingProcess(Store, new FakeTimeProvider(Clock.GetUtcNow() + TimeSpan.FromMinutes(5)), 9);
        await ahead.Run(ahead.Scheduler.ScheduleAsync(Orders, Message("a"), Clock.GetUtcNow(), Cancel).AsTask());
        await Process.MoveForAsync(TimeSpan.FromMinutes(6));
        Assert.Equal(["a"], await Process.PublishedAsync());
    }

    /// <summary>Whatever step the mover dies at: nothing is lost, and everything is tidied up.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Move_MoverDiesAtAnyWrite_NothingIsLost(bool lastHappens)
    {
        var repeated = 0;
        var isDead = true;
        for (var writes = 0; isDead; writes++)
        {
            await using var test = new BucketTests();
            await test.Process.ScheduleAsync("a", Soon);
            await test.Process.ScheduleAsync("b", Soon * 2);
            var store = new StoppingStore(test.Store, writes, lastHappens);
            var mover = new SchedulingProcess(store, test.Clock, 2);
            await Record.ExceptionAsync(() => mover.MoveForAsync(TimeSpan.FromMinutes(4)));
            isDead = store.IsDead;
            await new SchedulingProcess(test.Store, test.Clock, 3).MoveForAsync(TimeSpan.FromMinutes(4));
            var published = await test.Process.PublishedAsync();
            Assert.Equal(["a", "b"], published.Distinct());
            Assert.InRange(published.Length, 2, 3);
            repeated += published.Length - 2;
            Assert.Empty(await test.Process.LogsAsync());
        }

        // Only what was published and not yet marked.
        Assert.InRange(repeated, 1, 8);
    }

    /// <summary>Whatever step the publisher dies at: nothing stays behind, and what was confirmed is published.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Schedule_PublisherDiesAtAnyWrite_ConfirmedIsPublished(bool lastHappens)
    {
        var isDead = true;
        for (var writes = 0; isDead; writes++)
        {
            await using var test = new BucketTests();
            var store = new StoppingStore(test.Store, writes, lastHappens);
            var publisher = new SchedulingProcess(store, test.Clock, 2);
            var isConfirmed = await Record.ExceptionAsync(() => publisher.ScheduleAsync("a", Soon)) is null;
            isDead = store.IsDead;
            await test.Process.ScheduleAsync("b", Soon);
            await test.Process.MoveForAsync(TimeSpan.FromMinutes(4));
            var published = await test.Process.PublishedAsync();
            Assert.Contains("b", published);
            Assert.True(!isConfirmed || published.Contains("a"));
            Assert.Empty(await test.Process.LogsAsync());
        }
    }

    [Fact]
    public async Task Schedule_AcrossMidnight_IsFoundAndTidiedUp()
    {
        Clock.Advance(new DateTimeOffset(2026, 12, 31, 23, 58, 30, TimeSpan.Zero) - Clock.GetUtcNow());
        for (var i = 0; i < 8; i++)
        {
            await Process.ScheduleAsync(i.ToString(), TimeSpan.FromSeconds(30 * i));
        }

        Assert.Equal(["2026-12-31", "2027-01-01"], (await Process.LogsAsync()).Select(log => log.Minute.Day).Distinct());
        await Process.MoveForAsync(TimeSpan.FromMinutes(8));
        Assert.Equal(8, (await Process.PublishedAsync()).Length);
        Assert.Empty(await Process.LogsAsync());
        Assert.False((await Store.GetAsync(DocumentKeys.ScheduleDay("2026-12-31"), Cancel)).Exists);
        Assert.False((await Store.GetAsync(DocumentKeys.ScheduleHour("2026-12-31", "23"), Cancel)).Exists);
        Assert.False((await Store.GetAsync(DocumentKeys.ScheduleHour("2027-01-01", "00"), Cancel)).Exists);
    }

    [Fact]
    public async Task Move_AfterLongAbsence_FindsAllBuckets()
    {
        for (var i = 0; i < 120; i++)
        {
            await Process.ScheduleAsync(i.ToString("000"), TimeSpan.FromMinutes(17 * i));
        }

        Clock.Advance(TimeSpan.FromDays(30));
        var late = new SchedulingProcess(Store, Clock, 2);
        await late.ScheduleAsync("present", TimeSpan.Zero);
        await late.MoveAsync();
        Assert.Contains("000", await late.PublishedAsync());
        Assert.Contains("present", await late.PublishedAsync());
        await late.MoveForAsync(TimeSpan.FromMinutes(8));
        Assert.Equal(121, (await late.PublishedAsync()).Length);
        Assert.Empty(await late.LogsAsync());
    }

    [Fact]
    public async Task Move_FarFuture_IsNotRead()
    {
        await Process.ScheduleAsync("a", TimeSpan.FromDays(400));
        await Process.MoveAsync();
        Assert.Empty(Process.Services.Feed.Open);
        Assert.Single(await Process.LogsAsync());
    }

    [Fact]
    public async Task Move_ReservedSlotNeverFilled_IsClosedAndHoldsNothingUp()
    {
        await Process.ScheduleAsync("a", Soon);
        var log = Assert.Single(await Process.LogsAsync());
        for (var shard = 0; shard < BucketName.Shards; shard++)
        {
            await Process.Services.Log.ReserveAsync(new ShardId(log.Topic, shard), new Deadline(Clock, Soon));
        }

        await Process.ScheduleAsync("b", Soon);
        await Process.ScheduleAsync("c", Soon);
        await Process.ScheduleAsync("d", Soon);
        await Process.ScheduleAsync("e", Soon);
        await Process.MoveForAsync(Soon);
        Assert.Equal(["a", "b", "c", "d", "e"], await Process.PublishedAsync());
        await Process.MoveForAsync(TimeSpan.FromMinutes(4));
        Assert.Equal(["a", "b", "c", "d", "e"], await Process.PublishedAsync());
        Assert.Empty(await Process.LogsAsync());
    }

    [Fact]
    public async Task Move_FormerHolder_CannotStoreProgress()
    {
        await Process.ScheduleAsync("a", Soon);
        await Process.MoveAsync();
        await new SchedulingProcess(Store, Clock, 2).MoveAsync();
        Clock.Advance(Soon);
        await Assert.ThrowsAsync<LeaseLostException>(() => Process.MoveForAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task Move_NewHolder_RepeatsNothingThatWasStored()
    {
        for (var i = 0; i < 50; i++)
        {
            await Process.ScheduleAsync(i.ToString("00"), TimeSpan.FromSeconds(50 - i));
        }

        await Process.MoveForAsync(TimeSpan.FromSeconds(25));
        await new SchedulingProcess(Store, Clock, 2).MoveForAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(50, (await Process.PublishedAsync()).Length);
    }
}

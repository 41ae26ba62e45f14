using Pub.Storage;
using Pub.Tests.Topology;
using Pub.Topics;
using static Pub.Tests.Scheduling.SchedulingProcess;

namespace Pub.Tests.Scheduling;

public class CancelTests : SchedulingTest
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task Cancel_BeforeItIsDue_IsNeverPublished()
    {
        await Process.ScheduleAsync("token", "a", Soon);
        Assert.Equal(CancelResult.Cancelled, await Process.CancelAsync("token"));
        Assert.Equal(CancelResult.Cancelled, await Process.CancelAsync("token"));
        await Process.MoveForAsync(TimeSpan.FromSeconds(10));
        Assert.Empty(await Process.PublishedAsync());
    }

    [Fact]
    public async Task Cancel_AfterItWasPublished_IsNotFound()
    {
        await Process.ScheduleAsync("token", "a", Soon);
        await Process.MoveForAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(CancelResult.NotFound, await Process.CancelAsync("token"));
        Assert.Equal(["a"], await Process.PublishedAsync());
    }

    [Fact]
    public async Task Cancel_UnknownToken_IsNotFound() => Assert.Equal(CancelResult.NotFound, await Process.CancelAsync("token"));

    [Fact]
    public async Task Schedule_AgainUnderTheToken_Replaces()
    {
        await Process.ScheduleAsync("token", "a", Soon);
        await Process.ScheduleAsync("token", "b", Soon * 2);
        await Process.MoveForAsync(Soon);
        Assert.Empty(await Process.PublishedAsync());
        await Process.MoveForAsync(Soon);
        Assert.Equal(["b"], await Process.PublishedAsync());
    }

    [Fact]
    public async Task Schedule_AgainAfterCancel_IsPublished()
    {
        await Process.ScheduleAsync("token", "a", Soon);
        await Process.CancelAsync("token");
        await Process.ScheduleAsync("token", "b", Soon);
        await Process.MoveForAsync(TimeSpan.FromMinutes(20));
        Assert.Equal(["b"], await Process.PublishedAsync());
    }

    [Fact]
    public async Task Schedule_AgainWhileMoving_PublishesBoth()
    {
        await Process.ScheduleAsync("token", "a", Soon);
        await DieWhileMovingAsync("token");
        await Process.ScheduleAsync("token", "b", Soon);
        await NewProcess(2).MoveForAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(["a", "b"], await Process.PublishedAsync());
    }

    /// <summary>executions.md 19, first part: while the mover appends, cancel answers too late.</summary>
    [Fact]
    public async Task Execution19_CancelWhileMoving_IsTooLate()
    {
        await Process.ScheduleAsync("token", "a", Soon);
        await DieWhileMovingAsync("token");
        Assert.Equal(CancelResult.TooLate, await Process.CancelAsync("token"));
        await NewProcess(2).MoveForAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(["a"], await Process.PublishedAsync());
    }

    [Fact]
    public async Task Execution19_CancelWithoutCas_CancelsWhatIsPublished()
    {
        await Process.ScheduleAsync("token", "a", Soon);
        await DieWhileMovingAsync("token", afterFill: true);
        var broken = new SchedulingProcess(Store, Clock, 2, BrokenRules.CancelWithoutCas);
        Assert.Equal(CancelResult.Cancelled, await broken.CancelAsync("token"));
        Assert.Equal(["a"], await Process.PublishedAsync());
    }

    /// <summary>executions.md 19: whatever step the mover dies at, and whether its last write happened or not, the message is published once.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Execution19_MoverDiesAtAnyWrite_IsPublishedOnce(bool lastHappens)
    {
        var writes = 0;
        for (var isDead = true; isDead; writes++)
        {
            await using var test = new CancelTests();
            isDead = await test.MoveWithCrashAsync(writes, lastHappens);
            Assert.Equal(["a"], await test.Process.PublishedAsync());
        }

        Assert.InRange(writes, 10, 200);
    }

    /// <summary>executions.md 19, second part: without the recorded slot the next mover appends at another one.</summary>
    [Fact]
    public async Task Execution19_SlotNotRecorded_IsPublishedTwiceAfterSomeCrash()
    {
        var isTwice = false;
        var isDead = true;
        for (var writes = 0; isDead; writes++)
        {
            await using var test = new CancelTests();
            isDead = await test.MoveWithCrashAsync(writes, lastHappens: true, BrokenRules.MoveWithoutRecordedSlot);
            isTwice |= (await test.Process.PublishedAsync()).Length == 2;
        }

        Assert.True(isTwice);
    }

    /// <summary>Whatever step the mover dies at: what cancel answers is true.</summary>
    [Fact]
    public async Task Cancel_MoverDiedAtAnyWrite_TellsTheTruth()
    {
        var answers = new HashSet<CancelResult>();
        var isDead = true;
        for (var writes = 0; isDead; writes++)
        {
            await using var test = new CancelTests();
            await test.Process.ScheduleAsync("token", "a", Soon);
            isDead = await test.CrashAsync(writes, lastHappens: true);
            var answer = await test.Process.CancelAsync("token");
            await test.NewProcess(3).MoveForAsync(TimeSpan.FromMinutes(4));
            Assert.Equal(answer == CancelResult.Cancelled ? [] : ["a"], await test.Process.PublishedAsync());
            answers.Add(answer);
        }

        Assert.Equal([CancelResult.Cancelled, CancelResult.TooLate, CancelResult.NotFound], answers.Order());
    }

    /// <summary>Whatever step the publisher dies at, it may schedule again, and the message is published once.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Schedule_PublisherDiesAtAnyWrite_RepeatedIsPublishedOnce(bool lastHappens)
    {
        var isDead = true;
        for (var writes = 0; isDead; writes++)
        {
            await using var test = new CancelTests();
            var store = new StoppingStore(test.Store, writes, lastHappens);
            var publisher = new SchedulingProcess(store, test.Clock, 7);
            await Record.ExceptionAsync(() => publisher.ScheduleAsync("token", "a", Soon));
            isDead = store.IsDead;
            await test.Process.ScheduleAsync("token", "a", Soon);
            await test.Process.MoveForAsync(TimeSpan.FromMinutes(4));
            Assert.Equal(["a"], await test.Process.PublishedAsync());
            Assert.Empty(await test.Process.LogsAsync());
        }
    }

    [Fact]
    public async Task Move_RecordedSlotWasClosedByAReader_GoesToAnother()
    {
        await Process.ScheduleAsync("token", "a", Soon);
        await DieWhileMovingAsync("token");
        var document = await DocumentAsync("token");
        var shard = new ShardId(Orders, document!.Shard);
        Assert.Equal(WriteStatus.Applied, await Process.Services.Log.CloseSlotAsync(shard, new Offset(document.Offset)));
        await NewProcess(2).MoveForAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(["a"], await Process.PublishedAsync());
        Assert.Null(await DocumentAsync("token"));
    }

    [Fact]
    public async Task Move_RecordedSlotIsBelowTheHead_GoesToAnother()
    {
        await Process.ScheduleAsync("token", "a", Soon);
        await DieWhileMovingAsync("token");
        var document = await DocumentAsync("token");
        var key = DocumentKeys.Topic(Orders, 0);
        var stored = await Store.GetAsync(key, Cancel);
        var topic = TopicDocument.Read(Orders, 0, stored)!;
        topic.Heads[document!.Shard] = document.Offset + 1;
        await Store.ReplaceAsync(key, topic.Write(), stored.Cas, WriteOptions.Synced);
        await NewProcess(2).MoveForAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(["a"], await Process.PublishedAsync());
        Assert.False((await Store.GetAsync(DocumentKeys.Entry(new ShardId(Orders, document.Shard), new Offset(document.Offset)), Cancel)).Exists);
    }

    private SchedulingProcess NewProcess(long token) => new(Store, Clock, token);

    private async Task<bool> MoveWithCrashAsync(int writes, bool lastHappens, BrokenRules broken = BrokenRules.None)
    {
        await Process.ScheduleAsync("token", "a", Soon);
        var isDead = await CrashAsync(writes, lastHappens, broken);
        await new SchedulingProcess(Store, Clock, 3, broken).MoveForAsync(TimeSpan.FromMinutes(4));
        Assert.Null(await DocumentAsync("token"));
        Assert.Empty(await Process.LogsAsync());
        return isDead;
    }

    /// <summary>A process moves until its k-th write. Whether it came that far.</summary>
    private async Task<bool> CrashAsync(int writes, bool lastHappens, BrokenRules broken = BrokenRules.None)
    {
        var store = new StoppingStore(Store, writes, lastHappens);
        var mover = new SchedulingProcess(store, Clock, 2, broken);
        await Record.ExceptionAsync(() => mover.MoveForAsync(TimeSpan.FromMinutes(4)));
        return store.IsDead;
    }

    /// <summary>Lets a mover die after it has recorded the slot, before or after it has filled it.</summary>
    private async Task DieWhileMovingAsync(string token, bool afterFill = false)
    {
        await Process.Topics.GetOrCreateAsync(Orders, cancellationToken: Cancel);
        Clock.Advance(Soon);
        for (var writes = 1; ; writes++)
        {
            var mover = new SchedulingProcess(new StoppingStore(Store, writes, lastHappens: afterFill), Clock, 2);
            await Record.ExceptionAsync(() => mover.MoveAsync());
            if (await DocumentAsync(token) is { State: Pub.Scheduling.TokenState.Moving } document)
            {
                var slot = DocumentKeys.Entry(new ShardId(Orders, document.Shard), new Offset(document.Offset));
                var isFilled = (await Store.GetAsync(slot, Cancel)).Exists;
                Assert.True(afterFill || !isFilled);
                if (isFilled == afterFill)
                {
                    return;
                }
            }
        }
    }

    private async Task<Pub.Scheduling.TokenDocument?> DocumentAsync(string token)
    {
        var key = DocumentKeys.ScheduledToken(token);
        return Pub.Scheduling.TokenDocument.Format.Read(key, await Store.GetAsync(key, Cancel));
    }
}

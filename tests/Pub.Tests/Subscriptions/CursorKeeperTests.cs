using Pub.Storage;
using Pub.Subscriptions;
using Pub.Testing;

namespace Pub.Tests.Subscriptions;

public sealed class CursorKeeperTests
{
    private readonly ReaderFixture _fixture = new();
    private long _settled;

    [Fact]
    public async Task TakeAsync_LowerTokenThere_RaisesItDurablyAndKeepsTheRest()
    {
        await _fixture.WriteCursorAsync(At(5) with { Token = 2, Session = "old", Rewinds = 4 });

        var taken = await Take(3, "a");

        Assert.Equal((3, "a", 4), (taken!.Token, taken.Session, taken.Rewinds));
        Assert.Equal((3, "a", 4), (_fixture.Cursor().Token, _fixture.Cursor().Session, _fixture.Cursor().Rewinds));
        Assert.Equal(5, _fixture.Floor().Offset.Value);
        Assert.True(_fixture.Store.Calls.Single(call => call.Operation == StoreOperation.Replace).Durable);
    }

    [Theory]
    [InlineData(4, "b")]
    [InlineData(3, "b")]
    public async Task TakeAsync_SameOrHigherTokenOfAnother_AnswersNullAndWritesNothing(long token, string session)
    {
        // executions.md 13
        await _fixture.WriteCursorAsync(new CursorDocument { Token = token, Session = session });

        Assert.Null(await Take(3, "a"));
        Assert.Equal(0, _fixture.Store.Count(StoreOperation.Replace));
    }

    [Fact]
    public async Task RunAsync_TakenOver_FormerHolderWritesNothingMore()
    {
        using var former = _fixture.Keeper(1, "a");
        await former.TakeAsync(cursor => cursor, ReaderFixture.Cancellation);
        var run = Run(former);
        Assert.NotNull(await Take(2, "b"));

        Settle(former, 9);

        Assert.Equal(CursorEnd.Lost, await _fixture.EndAsync(run));
        Assert.Equal((2, "b"), (_fixture.Cursor().Token, _fixture.Cursor().Session));
        Assert.Equal(Position.Beginning, _fixture.Floor());
        Assert.False(await former.FlushAsync());
    }

    [Theory]
    [InlineData(StoreFault.UnknownApplied)]
    [InlineData(StoreFault.UnknownNotApplied)]
    public async Task RunAsync_WriteOfUnknownOutcome_WritesAgainBeforeAnythingIsAnswered(StoreFault fault)
    {
        // executions.md 15
        using var keeper = _fixture.Keeper();
        await keeper.TakeAsync(cursor => cursor, ReaderFixture.Cancellation);
        var run = Run(keeper);
        var rule = _fixture.Store.Fail(StoreOperation.Replace, fault);
        Settle(keeper, 4);

        Assert.True(await _fixture.EndAsync(keeper.FlushAsync()));

        Assert.Single(rule.Calls);
        Assert.Equal(4, _fixture.Floor().Offset.Value);
        Assert.True(_fixture.Store.Count(StoreOperation.Replace) >= 2);
        Assert.False(keeper.HasUnknown);
        keeper.Stop();
        Assert.Equal(CursorEnd.Stopped, await _fixture.EndAsync(run));
    }

    [Fact]
    public async Task RunAsync_LateWriteOfUnknownOutcome_LosesToTheOneThatFollowed()
    {
        using var keeper = _fixture.Keeper();
        await keeper.TakeAsync(cursor => cursor, ReaderFixture.Cancellation);
        var before = await _fixture.Store.Inner.GetAsync(ReaderFixture.Key, ReaderFixture.Cancellation);
        var run = Run(keeper);
        var rule = _fixture.Store.Fail(StoreOperation.Replace, StoreFault.UnknownNotApplied);
        Settle(keeper, 4);
        await _fixture.EndAsync(keeper.FlushAsync());

        var late = await _fixture.Store.Inner.ReplaceAsync(ReaderFixture.Key, rule.Calls.Single().Content, before.Cas);

        Assert.Equal(WriteStatus.Moved, late.Status);
        keeper.Stop();
        await _fixture.EndAsync(run);
    }

    [Fact]
    public async Task RunAsync_UnknownUntilAbandoned_SaysSo()
    {
        using var keeper = _fixture.Keeper();
        await keeper.TakeAsync(cursor => cursor, ReaderFixture.Cancellation);
        var run = Run(keeper);
        _fixture.Store.Fail(StoreOperation.Replace, StoreFault.UnknownNotApplied, times: 1_000);
        Settle(keeper, 4);
        var flush = keeper.FlushAsync();
        await _fixture.PassAsync(50);
        Assert.False(flush.IsCompleted);

        keeper.Abandon();

        Assert.False(await flush);
        Assert.Equal(CursorEnd.Lost, await _fixture.EndAsync(run, 100));
        Assert.True(keeper.HasUnknown);
    }

    [Fact]
    public async Task RunAsync_Edited_EndsAndOverwritesNothing()
    {
        // executions.md 14
        using var keeper = _fixture.Keeper();
        await keeper.TakeAsync(cursor => cursor, ReaderFixture.Cancellation);
        var run = Run(keeper);
        await new CursorEdits(_fixture.Store, _fixture.Runtime).EditAsync(
            ReaderFixture.Key, cursor => cursor.With(At(2).Shards[0]), ReaderFixture.Cancellation);

        Settle(keeper, 9);
        var flush = keeper.FlushAsync();

        Assert.Equal(CursorEnd.Edited, await _fixture.EndAsync(run));
        Assert.False(await _fixture.EndAsync(flush));
        Assert.Equal(2, _fixture.Floor().Offset.Value);
        var again = await keeper.TakeAsync(cursor => cursor, ReaderFixture.Cancellation);
        Assert.Equal((1, 1, 2), (again!.Token, again.Rewinds, again.Find(ReaderFixture.Shard)!.Floor.Offset.Value));
    }

    [Fact]
    public async Task RunAsync_MarkedBetweenTakingAndRunning_IsWritten()
    {
        // Word of an edit came in that moment and was forgotten.
        using var keeper = _fixture.Keeper();
        await keeper.TakeAsync(cursor => cursor, ReaderFixture.Cancellation);
        await new CursorEdits(_fixture.Store, _fixture.Runtime).EditAsync(
            ReaderFixture.Key, cursor => cursor.With(At(2).Shards[0]), ReaderFixture.Cancellation);
        keeper.MarkDirty();

        Assert.Equal(CursorEnd.Edited, await _fixture.EndAsync(Run(keeper)));
    }

    [Fact]
    public async Task RunAsync_Removed_IsLost()
    {
        using var keeper = _fixture.Keeper();
        await keeper.TakeAsync(cursor => cursor, ReaderFixture.Cancellation);
        var run = Run(keeper);
        await _fixture.Store.Inner.RemoveAsync(ReaderFixture.Key);

        Settle(keeper, 9);

        Assert.Equal(CursorEnd.Lost, await _fixture.EndAsync(run));
        Assert.False((await _fixture.Store.Inner.GetAsync(ReaderFixture.Key, ReaderFixture.Cancellation)).Exists);
    }

    [Fact]
    public async Task Abandon_WithChanges_NothingIsWrittenAndFlushesAnswerFalse()
    {
        using var keeper = _fixture.Keeper();
        await keeper.TakeAsync(cursor => cursor, ReaderFixture.Cancellation);
        var run = Run(keeper);

        keeper.Abandon();
        Settle(keeper, 9);

        Assert.False(await keeper.FlushAsync());
        Assert.Equal(CursorEnd.Stopped, await _fixture.EndAsync(run));
        Assert.Equal(Position.Beginning, _fixture.Floor());
    }

    [Fact]
    public async Task FlushAsync_NobodyWrites_AnswersFalse()
    {
        // It was asked when the run had just ended, and waited for ever.
        using var keeper = _fixture.Keeper();
        await keeper.TakeAsync(cursor => cursor, ReaderFixture.Cancellation);

        Assert.False(await keeper.FlushAsync());
        var run = Run(keeper);
        keeper.Stop();
        await _fixture.EndAsync(run);
        Assert.False(await keeper.FlushAsync());
    }

    [Fact]
    public async Task FlushAsync_WithinThePace_WritesAllBeforeItAtOnce()
    {
        using var keeper = _fixture.Keeper();
        await keeper.TakeAsync(cursor => cursor, ReaderFixture.Cancellation);
        var run = Run(keeper);
        Settle(keeper, 2);
        await keeper.FlushAsync().WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        Settle(keeper, 3);
        Assert.True(await keeper.FlushAsync().WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));

        Assert.Equal(3, _fixture.Floor().Offset.Value);
        keeper.Stop();
        await run.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task RunAsync_ContinuousChange_WritesEvery25MillisecondsAtMost()
    {
        using var keeper = _fixture.Keeper();
        await keeper.TakeAsync(cursor => cursor, ReaderFixture.Cancellation);
        var run = Run(keeper);
        _fixture.Store.ClearCalls();

        for (var i = 0; i < 500; i++)
        {
            Settle(keeper, i + 2);
            _fixture.Clock.Advance(TimeSpan.FromMilliseconds(1));
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        Assert.InRange(_fixture.Store.Count(StoreOperation.Replace), 5, 21);
        await _fixture.UntilAsync("the last change is written", () => _fixture.Floor().Offset.Value == 501);
        keeper.Stop();
        await _fixture.EndAsync(run);
    }

    [Fact]
    public void Interval_ManyBusyCursors_SharesTheBudgetOfWrites()
    {
        var pace = new CursorPace(400);
        Assert.Equal(25, pace.Interval.TotalMilliseconds);
        for (var i = 0; i < 40; i++)
        {
            pace.Enter();
        }

        Assert.Equal(100, pace.Interval.TotalMilliseconds);
        for (var i = 0; i < 40; i++)
        {
            pace.Leave();
        }

        Assert.Equal(25, pace.Interval.TotalMilliseconds);
    }

    private static CursorDocument At(long floor) =>
        CursorDocument.Empty.With(ShardCursor.At(ReaderFixture.Shard, Position.StartOf(new Offset(floor))));

    private async Task<CursorDocument?> Take(long token, string session)
    {
        using var keeper = _fixture.Keeper(token, session);
        return await keeper.TakeAsync(cursor => cursor, ReaderFixture.Cancellation);
    }

    private Task<CursorEnd> Run(CursorKeeper keeper) =>
        keeper.RunAsync(() => Volatile.Read(ref _settled) is 0 ? CursorDocument.Empty : At(Volatile.Read(ref _settled)), _ => { });

    private void Settle(CursorKeeper keeper, long floor)
    {
        Volatile.Write(ref _settled, floor);
        keeper.MarkDirty();
    }
}

using Microsoft.Extensions.Time.Testing;
using Pub.Subscriptions;

namespace Pub.Tests.Subscriptions;

public sealed class AheadMarksTests
{
    private static readonly ShardId Shard = ReaderFixture.Shard;

    [Fact]
    public void Plan_NothingRead_ReachesALittleAheadAndNeverFalls()
    {
        var window = Window(floor: 10, tail: 10);
        var marks = new AheadMarks(At(floor: 10, ahead: 500), takenFromDead: false);

        Assert.Equal(500, marks.StoredOf(Shard).Value);
        Assert.Equal(500, marks.Plan(window).Value);
        Assert.Equal(42, new AheadMarks(At(floor: 10, ahead: 0), false).Plan(window).Value);
    }

    [Fact]
    public void Plan_AtSomePace_ReachesTwiceAsFarAsTheLastInterval()
    {
        var window = Window(floor: 1, tail: 5_000);
        var marks = new AheadMarks(CursorDocument.Empty, takenFromDead: false);
        marks.Plan(window);
        window.PlanRead(100);

        Assert.Equal(101 + 200, marks.Plan(window).Value);
        window.PlanRead(ShardWindow.MaxSlots);
        Assert.Equal(window.Next.Value + ShardWindow.MaxSlots, marks.Plan(window).Value);
    }

    [Fact]
    public void HasSuspects_NotTakenFromTheDead_IsNever() =>
        Assert.False(new AheadMarks(At(floor: 1, ahead: 50), takenFromDead: false).HasSuspects(Window(1, 50)));

    [Fact]
    public void HasSuspects_TakenFromTheDead_UntilTheFloorIsAtTheTailOfTheTakeover()
    {
        var marks = new AheadMarks(At(floor: 3, ahead: 50), takenFromDead: true);
        marks.BoundSuspects(Shard, new Offset(4));
        marks.BoundSuspects(Shard, new Offset(40));
        Assert.Equal(5, marks.SuspectsBelow(Shard).Value);
        var window = Window(floor: 3, tail: 40);
        Assert.True(marks.HasSuspects(window));

        window.Progress.RaiseFloor(Position.StartOf(new Offset(4)));
        Assert.True(marks.HasSuspects(window));
        window.Progress.RaiseFloor(Position.StartOf(new Offset(5)));

        Assert.False(marks.HasSuspects(window));
    }

    [Fact]
    public void HasSuspects_DeadHolderStoredNoMarkAboveItsFloor_IsNever() =>
        Assert.False(new AheadMarks(At(floor: 7, ahead: 7), takenFromDead: true).HasSuspects(Window(7, 50)));

    [Fact]
    public void DeliveryCounts_SomeSettled_StoresTheRest()
    {
        var start = new CursorDocument
        {
            Shards = [new ShardCursor(Shard, Position.Beginning, [], [new DeliveredCount(new Position(new Offset(1), 0), 2), new DeliveredCount(new Position(new Offset(3), 1), 5)], default)],
        };
        var counts = new DeliveryCounts(start);
        Assert.Equal(2, counts[Shard, Position.Beginning]);
        Assert.Equal(0, counts[Shard with { Number = 1 }, Position.Beginning]);
        counts.Set(Shard, new Position(new Offset(2), 0), 1);
        counts.Remove(Shard, new Position(new Offset(3), 1));

        var progress = new SettledRanges(Position.Beginning);
        progress.Add(new PositionRange(Position.Beginning, Position.EndOf(new Offset(1))));

        Assert.Equal([new DeliveredCount(new Position(new Offset(2), 0), 1)], counts.Of(Shard, progress));
        Assert.Empty(counts.Of(Shard with { Number = 1 }, progress));
    }

    private static CursorDocument At(long floor, long ahead) =>
        CursorDocument.Empty.With(new ShardCursor(Shard, Position.StartOf(new Offset(floor)), [], [], new Offset(ahead)));

    private static ShardWindow Window(long floor, long tail)
    {
        var time = new FakeTimeProvider();
        var window = new ShardWindow(Shard, new SettledRanges(Position.StartOf(new Offset(floor))), time);
        window.Observe(new Offset(tail), Offset.First, []);
        time.Advance(TimeSpan.FromMilliseconds(1));
        return window;
    }
}

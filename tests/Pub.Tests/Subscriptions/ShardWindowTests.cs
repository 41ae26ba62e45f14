using Microsoft.Extensions.Time.Testing;
using Pub.Subscriptions;
using Pub.Topics;

namespace Pub.Tests.Subscriptions;

public sealed class ShardWindowTests
{
    private static readonly ShardId Shard = new(TopicName.Topic("orders"), 0);

    private readonly FakeTimeProvider _time = new();
    private readonly Dictionary<long, Entry> _log = [];

    [Fact]
    public void TakeDeliverable_EntryReadTogetherWithTheHoleBelow_WaitsForAnotherLookAtTheHole()
    {
        // executions.md 4: both were read at once, the hole first; what is confirmed into the hole meanwhile comes before the entry above.
        var window = WindowAt(tail: 2);
        _log[2] = Entries.Of(2);
        Read(window);
        Assert.Empty(Take(window));

        _log[1] = Entries.Of(1);
        Read(window);

        Assert.Equal([1, 2], Take(window));
    }

    [Fact]
    public void PlanRead_EntryWaitsAboveAHole_ReadsTheHoleAtOnce()
    {
        var window = WindowAt(tail: 2);
        _log[2] = Entries.Of(2);
        Read(window);

        var read = window.PlanRead(10);
        Assert.Equal([new Offset(1)], read.Offsets);
        window.Complete(read, [null]);

        Assert.Equal([2], Take(window));
    }

    [Fact]
    public void TakeDeliverable_RuleLeftOut_DeliversAboveTheHole()
    {
        var window = WindowAt(tail: 2, broken: BrokenRules.NoHoleReread);
        _log[2] = Entries.Of(2);
        Read(window);

        Assert.Equal([2], Take(window));
    }

    [Fact]
    public void NextDue_HoleAtTheTail_BacksOffFrom1To100Milliseconds()
    {
        // executions.md 9: nobody wakes the reader when the insert lands.
        var window = WindowAt(tail: 1);
        Read(window);
        var pauses = new List<double>();
        for (var i = 0; i < 9; i++)
        {
            var pause = _time.GetElapsedTime(_time.GetTimestamp(), window.NextDue());
            pauses.Add(pause.TotalMilliseconds);
            _time.Advance(pause);
            Assert.Equal([1], Read(window));
        }

        Assert.Equal([1, 2, 4, 8, 16, 32, 64, 100, 100], pauses);
        _log[1] = Entries.Of(1);
        _time.Advance(TimeSpan.FromMilliseconds(100));
        Read(window);
        Assert.Equal([1], Take(window));
        Assert.Equal(long.MaxValue, window.NextDue());
    }

    [Fact]
    public void ObserveFilled_WhileTheHoleIsRead_ReadsItAgainAtOnce()
    {
        var window = WindowAt(tail: 1);
        Read(window);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        var read = window.PlanRead(10);
        window.ObserveFilled(new Offset(1));
        window.Complete(read, [null]);

        Assert.Equal([1], Read(window));
        Assert.True(window.NextDue() > _time.GetTimestamp(), "The word of it counts once.");
    }

    [Fact]
    public void Observe_HeadAboveMillionsOfMissingSlots_ReadsFromTheHeadOn()
    {
        // executions.md 10
        var window = WindowAt(tail: 5_000_000, head: 4_999_999);

        Assert.Equal(4_999_999, window.Progress.Floor.Offset.Value);
        Assert.Equal([4_999_999, 5_000_000], Read(window));
        Assert.Equal(2, window.Slots.Count);
    }

    [Fact]
    public void Observe_HeadPassesHolesReadAheadAndInFlight_LetsGoAllButWhatIsInFlight()
    {
        var window = WindowAt(tail: 4);
        _log[1] = Entries.Of(1);
        _log[3] = Entries.Of(3);
        _log[4] = Entries.Of(4);
        Read(window);
        List<WindowSlot> taken = [];
        window.TakeDeliverable(new Offset(99), taken);
        var open = window.PlanRead(10);

        window.Observe(new Offset(4), new Offset(5), []);
        window.Complete(open, [null]);

        Assert.Equal([2L, 3, 4], window.TakeReleased().Select(slot => slot.Offset.Value).Order());
        Assert.Equal(5, window.Progress.Floor.Offset.Value);
        window.Settle(taken[0], 0);
        Assert.Equal([1L], window.TakeReleased().Select(slot => slot.Offset.Value));
        Assert.True(window.IsEmpty);
    }

    [Fact]
    public void Observe_Jump_PassesItOnceTheFloorIsThere()
    {
        var window = new ShardWindow(Shard, new SettledRanges(Position.Beginning), _time);
        window.Observe(new Offset(101), Offset.First, [new OffsetRange(new Offset(2), new Offset(101))]);
        _log[1] = Entries.Of(1);
        _log[101] = Entries.Of(101);
        _time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal([1, 101], Read(window));
        Settle(window, Take(window, out var slots));

        Assert.Equal(2, slots.Count);
        Assert.Equal(102, window.Progress.Floor.Offset.Value);
        Assert.Empty(window.Progress.Ranges);
    }

    [Fact]
    public void Complete_Tombstone_FloorPassesIt()
    {
        var window = WindowAt(tail: 2);
        _log[1] = Entries.Tombstone();
        _log[2] = Entries.Of(2);
        Read(window);

        Settle(window, Take(window, out _));

        Assert.Equal(3, window.Progress.Floor.Offset.Value);
        Assert.Equal([1L, 2], window.TakeReleased().Select(slot => slot.Offset.Value));
    }

    [Fact]
    public void Closed_HoleBelowASettledEntry_FloorPassesBoth()
    {
        var window = WindowAt(tail: 2);
        _log[2] = Entries.Of(2);
        Read(window);
        Read(window);
        Settle(window, Take(window, out _));
        Assert.Equal(1, window.Progress.Floor.Offset.Value);
        _time.Advance(TimeSpan.FromSeconds(10));

        var expired = new List<Offset>();
        window.CollectExpiredHoles(TimeSpan.FromSeconds(10), expired);
        window.Closed(expired.Single());

        Assert.Equal(3, window.Progress.Floor.Offset.Value);
        Assert.False(window.HasHoles);
    }

    [Fact]
    public void PlanRead_ReloadedWithSettledRanges_ReadsOnlyWhatIsOpen()
    {
        SettledRanges progress = new(new Position(new Offset(2), 1), [Range(4, 0, 6, 0), Range(7, 1, 7, 2)]);
        var window = new ShardWindow(Shard, progress, _time);
        Observe(window, 8);
        foreach (var offset in (long[])[2, 3, 7, 8])
        {
            _log[offset] = Entries.Of(offset, 3);
        }

        Assert.Equal([2, 3, 6, 7, 8], Read(window));
        Assert.Equal([(2L, 2), (3, 3), (7, 2), (8, 3)], window.Slots.Where(slot => !slot.IsHole).Select(slot => (slot.Offset.Value, slot.Unsettled)));
    }

    [Fact]
    public void PlanRead_SlotsAtTheCap_GoesOnOnceOneIsLetGo()
    {
        var window = WindowAt(tail: ShardWindow.MaxSlots + 10);
        for (var offset = 1; offset <= ShardWindow.MaxSlots + 10; offset++)
        {
            _log[offset] = Entries.Of(offset);
        }

        Assert.Equal(ShardWindow.MaxSlots, Read(window, 5_000).Count);
        Assert.True(window.IsAtCap);
        Assert.Empty(Read(window));
        List<WindowSlot> taken = [];
        window.TakeDeliverable(new Offset(99_999), taken);
        window.Settle(taken[0], 0);

        Assert.Equal([ShardWindow.MaxSlots + 1], Read(window));
        Assert.True(window.IsAtCap);
    }

    [Fact]
    public void PlanRead_RangesAtTheCap_GoesOnOnceTheFloorMoves()
    {
        var window = WindowAt(tail: 1_100);
        for (var offset = 1; offset <= 1_100; offset++)
        {
            _log[offset] = Entries.Of(offset, 4);
        }

        Read(window, 600);
        List<WindowSlot> taken = [];
        window.TakeDeliverable(new Offset(99_999), taken);
        foreach (var slot in taken)
        {
            // Two ranges an entry.
            window.Settle(slot, 1);
            window.Settle(slot, 3);
        }

        Assert.Empty(Read(window));
        Assert.True(window.IsAtCap);
        foreach (var slot in taken.Take(200))
        {
            window.Settle(slot, 0);
            window.Settle(slot, 2);
        }

        Assert.Equal(10, Read(window).Count);
        Assert.False(window.IsAtCap);
    }

    [Fact]
    public void PlanRead_ReloadedWithRangesAtTheCap_ReadsWhatLiesBetweenAndDrains()
    {
        // A holder that stood at the cap has died: what keeps the floor was never read by this one.
        var ranges = Enumerable.Range(1, ShardWindow.MaxRanges).Select(i => Range(2 * i, 0, (2 * i) + 1, 0));
        var window = new ShardWindow(Shard, new SettledRanges(Position.Beginning, ranges), _time);
        var tail = (2 * ShardWindow.MaxRanges) + 5;
        Observe(window, tail);
        for (var offset = 1; offset <= tail; offset++)
        {
            _log[offset] = Entries.Of(offset);
        }

        for (var round = 0; round < 100 && window.Progress.Floor.Offset.Value <= tail; round++)
        {
            Read(window, 64);
            Settle(window, Take(window, out _));
        }

        Assert.Equal(tail + 1, window.Progress.Floor.Offset.Value);
    }

    [Fact]
    public void PlanRead_SlotHandedOutJustNow_IsGivenAMillisecond()
    {
        var window = WindowAt(tail: 1);
        _log[1] = Entries.Of(1);
        Read(window);
        _time.Advance(TimeSpan.FromSeconds(1));

        window.Observe(new Offset(2), Offset.First, []);
        Assert.Empty(Read(window));
        Assert.Equal(TimeSpan.FromMilliseconds(1), _time.GetElapsedTime(_time.GetTimestamp(), window.NextDue()));

        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal([2], Read(window));
    }

    [Fact]
    public void PlanRead_FreshSlotThatIsSaidToBeFilled_IsReadAtOnce()
    {
        var window = WindowAt(tail: 1);
        _time.Advance(TimeSpan.FromSeconds(1));
        window.Observe(new Offset(2), Offset.First, []);
        window.ObserveFilled(new Offset(2));

        Assert.Equal([1, 2], Read(window));
    }

    [Fact]
    public void NextDue_NoRoomForAFreshSlot_AsksForNothing()
    {
        var window = WindowAt(tail: 1);
        window.Observe(new Offset(2), Offset.First, []);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(window.PlanRead(0).IsEmpty);

        Assert.Equal(long.MaxValue, window.NextDue());
    }

    [Fact]
    public void TakeDeliverable_MarkBelow_StopsThereAndSaysSo()
    {
        var window = WindowAt(tail: 3);
        for (var offset = 1; offset <= 3; offset++)
        {
            _log[offset] = Entries.Of(offset);
        }

        Read(window);

        Assert.Equal([1], Take(window, ahead: 2));
        Assert.True(window.WaitsFor(new Offset(2)));
        Assert.False(window.WaitsFor(new Offset(3)));
        Assert.Equal([2, 3], Take(window));
    }

    [Fact]
    public void Retire_WithEntriesReadAhead_LetsThemGoAndReadsThemAgainWhenRevived()
    {
        var window = WindowAt(tail: 4);
        for (var offset = 1; offset <= 4; offset++)
        {
            _log[offset] = Entries.Of(offset);
        }

        Read(window);
        Take(window, out var inFlight, ahead: 3);

        window.Retire();
        Assert.Equal([3L, 4], window.TakeReleased().Select(slot => slot.Offset.Value).Order());
        window.Revive();
        Assert.Equal([3, 4], Read(window));
        Settle(window, inFlight);
        Settle(window, Take(window, out _));

        Assert.Equal(5, window.Progress.Floor.Offset.Value);
    }

    [Fact]
    public void Abandon_ReadThatFailed_IsReadAgain()
    {
        var window = WindowAt(tail: 2);
        _log[1] = Entries.Of(1);
        _log[2] = Entries.Of(2);
        window.Abandon(window.PlanRead(10));

        Assert.Equal([1, 2], Read(window));
        Assert.Equal([1, 2], Take(window));
    }

    [Fact]
    public void Complete_Undecodable_StaysUntilItIsSetAside()
    {
        var window = WindowAt(tail: 1);
        _log[1] = Entries.Undecodable();
        Read(window);

        Take(window, out var taken);
        Assert.Equal(1, window.Progress.Floor.Offset.Value);
        window.SettleWhole(taken.Single());

        Assert.Equal(2, window.Progress.Floor.Offset.Value);
    }

    private static PositionRange Range(long from, int fromIndex, long to, int toIndex) =>
        new(new Position(new Offset(from), fromIndex), new Position(new Offset(to), toIndex));

    private static void Settle(ShardWindow window, IEnumerable<WindowSlot> slots)
    {
        foreach (var slot in slots)
        {
            for (var index = 0; index < slot.Entry!.Messages.Length; index++)
            {
                window.Settle(slot, index);
            }
        }
    }

    private static List<long> Take(ShardWindow window, long ahead = 99_999) => [.. Take(window, out _, ahead).Select(slot => slot.Offset.Value)];

    private static List<WindowSlot> Take(ShardWindow window, out List<WindowSlot> taken, long ahead = 99_999)
    {
        taken = [];
        window.TakeDeliverable(new Offset(ahead), taken);
        return taken;
    }

    private ShardWindow WindowAt(long tail, long head = 1, BrokenRules broken = BrokenRules.None)
    {
        var window = new ShardWindow(Shard, new SettledRanges(Position.Beginning), _time, broken);
        Observe(window, tail, head);
        return window;
    }

    private void Observe(ShardWindow window, long tail, long head = 1)
    {
        window.Observe(new Offset(tail), new Offset(head), []);
        _time.Advance(TimeSpan.FromMilliseconds(1));
    }

    /// <summary>One read of what the window asks for, from the log as it is; answers the offsets.</summary>
    private List<long> Read(ShardWindow window, int most = 10)
    {
        var read = window.PlanRead(most);
        window.Complete(read, [.. read.Offsets.Select(offset => _log.GetValueOrDefault(offset.Value))]);
        return [.. read.Offsets.Select(offset => offset.Value)];
    }
}

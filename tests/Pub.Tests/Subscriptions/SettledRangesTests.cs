using CsCheck;
using Pub.Subscriptions;

namespace Pub.Tests.Subscriptions;

public sealed class SettledRangesTests
{
    /// <summary>Ranges as "offset.index-offset.index", the floor as "offset.index".</summary>
    [Theory]
    [InlineData("1.0", "1.0-2.0", "2.0", "")]
    [InlineData("1.0", "2.0-3.0", "1.0", "2.0-3.0")]
    [InlineData("1.0", "2.0-3.0 1.0-2.0", "3.0", "")]
    [InlineData("1.0", "2.0-3.0 4.0-5.0 3.0-4.0", "1.0", "2.0-5.0")]
    [InlineData("1.0", "2.0-3.0 4.0-5.0 1.0-9.0", "9.0", "")]
    [InlineData("1.0", "4.0-5.0 2.0-3.0", "1.0", "2.0-3.0 4.0-5.0")]
    [InlineData("1.0", "2.0-8.0 3.0-4.0", "1.0", "2.0-8.0")]
    [InlineData("1.0", "2.0-4.0 3.0-6.0", "1.0", "2.0-6.0")]
    [InlineData("1.0", "3.0-6.0 2.0-4.0", "1.0", "2.0-6.0")]
    [InlineData("1.0", "1.1-1.2 1.0-1.1 1.2-2.0", "2.0", "")]
    [InlineData("7.2", "7.0-7.2 1.0-2.0", "7.2", "")]
    [InlineData("7.2", "1.0-7.3", "7.3", "")]
    [InlineData("1.0", "3.0-3.0 5.0-4.0", "1.0", "")]
    public void Add_OneAfterAnother_GivesFloorAndRanges(string start, string added, string floor, string ranges)
    {
        var settled = new SettledRanges(PositionOf(start));

        foreach (var range in RangesOf(added))
        {
            settled.Add(range);
        }

        Assert.Equal(PositionOf(floor), settled.Floor);
        Assert.Equal(RangesOf(ranges), settled.Ranges);
    }

    [Fact]
    public void Add_NothingNew_SaysSo()
    {
        var settled = new SettledRanges(PositionOf("3.0"), RangesOf("5.0-7.0"));

        Assert.False(settled.Add(RangesOf("1.0-3.0")[0]));
        Assert.False(settled.Add(RangesOf("5.1-6.0")[0]));
        Assert.True(settled.Add(RangesOf("6.0-7.1")[0]));
    }

    [Theory]
    [InlineData("1.0", "3.0")]
    [InlineData("3.0", "3.0")]
    [InlineData("5.0", "7.2")]
    [InlineData("7.1", "7.2")]
    [InlineData("7.2", "7.2")]
    [InlineData("9.0", "9.0")]
    public void SkipSettled_AnyPosition_AnswersTheFirstUnsettled(string position, string expected) =>
        Assert.Equal(PositionOf(expected), new SettledRanges(PositionOf("3.0"), RangesOf("5.0-7.2")).SkipSettled(PositionOf(position)));

    [Fact]
    public void Add_AnySequence_AgreesWithASetOfPositions()
    {
        var entries = Gen.Int[1, 5].Array[12];
        var moves = Gen.Select(Gen.Int[0, 59], Gen.Int[0, 8]).Array[0, 80];
        Gen.Select(entries, moves, Gen.Int[0, 59]).Sample((sizes, steps, start) =>
        {
            var places = Places(sizes);
            var first = start % places.Count;
            var settled = new SettledRanges(places[first]);
            var model = new bool[places.Count];
            Array.Fill(model, true, 0, first);
            foreach (var (from, length) in steps)
            {
                var low = from % places.Count;
                var high = Math.Min(low + length, places.Count);
                var end = high == places.Count ? Position.EndOf(places[^1].Offset) : places[high];
                var isNew = Enumerable.Range(low, high - low).Any(i => !model[i]);
                var floor = settled.Floor;

                Assert.Equal(isNew, settled.Add(new PositionRange(places[low], end)));

                Array.Fill(model, true, low, high - low);
                Assert.True(settled.Floor >= floor, "The floor fell.");
                Check(settled, places, model);
            }
        });
    }

    [Fact]
    public void Add_EveryOrder_EndsInTheSameState() =>
        Gen.Select(Gen.Int[1, 5].Array[8], Gen.Int[0, 1 << 20].Array[40]).Sample((sizes, order) =>
        {
            var places = Places(sizes);
            var ranges = places.Select((place, i) => new PositionRange(place, i + 1 == places.Count ? Position.EndOf(place.Offset) : places[i + 1])).ToArray();
            Array.Sort([.. order.Take(ranges.Length)], ranges);
            var settled = new SettledRanges(places[0]);

            foreach (var range in ranges)
            {
                Assert.True(settled.Add(range));
            }

            Assert.Equal(Position.EndOf(places[^1].Offset), settled.Floor);
            Assert.Empty(settled.Ranges);
        });

    private static void Check(SettledRanges settled, List<Position> places, bool[] model)
    {
        for (var i = 0; i < places.Count; i++)
        {
            Assert.Equal(model[i], settled.Contains(places[i]));
        }

        var firstOpen = Array.IndexOf(model, false);
        Assert.Equal(firstOpen < 0 ? Position.EndOf(places[^1].Offset) : places[firstOpen], settled.Floor);
        var last = settled.Floor;
        foreach (var range in settled.Ranges)
        {
            Assert.True(range.From > last && range.From < range.To, "Ranges are apart from each other, above the floor and not empty.");
            last = range.To;
        }
    }

    private static List<Position> Places(int[] sizes) =>
        [.. sizes.SelectMany((size, i) => Enumerable.Range(0, size).Select(index => new Position(new Offset(i + 1), index)))];

    private static Position PositionOf(string text)
    {
        var parts = text.Split('.').Select(int.Parse).ToArray();
        return new Position(new Offset(parts[0]), parts[1]);
    }

    private static PositionRange[] RangesOf(string text) =>
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(range => range.Split('-')).Select(ends => new PositionRange(PositionOf(ends[0]), PositionOf(ends[1])))];
}

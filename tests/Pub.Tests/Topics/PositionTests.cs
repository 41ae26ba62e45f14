using CsCheck;

namespace Pub.Tests.Topics;

public class PositionTests
{
    private static readonly Gen<Position> Any = Gen.Select(Gen.Long[0, 4], Gen.Int[0, 3]).Select((offset, index) => new Position(new Offset(offset), index));

    [Fact]
    public void Compare_AnyTwo_ByOffsetThenIndex() =>
        Gen.Select(Any, Any).Sample((a, b) =>
        {
            var expected = (a.Offset.Value, a.Index).CompareTo((b.Offset.Value, b.Index));
            return Math.Sign(a.CompareTo(b)) == expected && a < b == expected < 0 && a > b == expected > 0 && a <= b == expected <= 0
                && a >= b == expected >= 0 && a == b == (expected == 0) && Position.Max(a, b) >= Position.Min(a, b)
                && Position.Max(a, b) == (expected >= 0 ? a : b) && new PositionRange(a, b).IsEmpty == (expected >= 0);
        });

    [Fact]
    public void EndOf_AnEntry_IsTheStartOfTheNextAndAboveAllItsMessages()
    {
        var end = Position.EndOf(new Offset(7));
        Assert.Equal(new Position(new Offset(8), 0), end);
        Assert.Equal(Position.StartOf(new Offset(8)), end);
        Assert.True(new Position(new Offset(7), int.MaxValue) < end);
    }

    [Fact]
    public void Offset_FirstAndNext_CountFromOne()
    {
        Assert.Equal(0, Offset.None.Value);
        Assert.Equal(Offset.First, Offset.None.Next);
        Assert.Equal(new Position(Offset.First, 0), Position.Beginning);
        Assert.True(Offset.None < Offset.First && Offset.First > Offset.None && Offset.First <= Offset.First && Offset.First >= Offset.First);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData((1L << 40) - 1, 0)]
    [InlineData(1L << 40, 1)]
    [InlineData((2L << 40) + 5, 2)]
    public void Life_OfAnOffset_IsItsMultipleOfTwoToTheForty(long offset, long life) => Assert.Equal(life, new Offset(offset).Life);

    [Fact]
    public void ToString_OfPlaces_SaysAllParts() =>
        Assert.Equal("t:orders/3/17.4", new MessagePlace(new ShardId(TopicName.Topic("orders"), 3), new Position(new Offset(17), 4)).ToString());
}

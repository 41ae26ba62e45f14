using CsCheck;
using Pub.Topics;
using Pub.Trimming;

namespace Pub.Tests.Trimming;

public sealed class TrimDecisionTests
{
    private static readonly Gen<Position> Floors = Gen.Select(Gen.Long[1, 30], Gen.Int[0, 3]).Select((offset, index) => new Position(new Offset(offset), index));

    private static readonly Gen<(RetentionRule Rule, ShardState Shard, Position[] Floors, Offset Aged)> Cases =
        from mode in Gen.Enum<Retention>()
        from isQueue in Gen.Bool
        from hasAge in Gen.Bool
        from head in Gen.Long[1, 20]
        from length in Gen.Long[0, 20]
        from aged in Gen.Long[0, 20]
        from floors in Floors.Array[0, 4]
        let shard = new ShardState(new Offset(head + length - 1), new Offset(head), new Offset(1), [])
        let rule = new RetentionRule(isQueue && mode == Retention.AfterTime ? Retention.WhenSettled : mode, hasAge ? TimeSpan.FromDays(1) : null, !isQueue)
        select (rule, shard, floors, new Offset(head + Math.Min(aged, length)));

    [Fact]
    public void Head_Anything_NeverFalls() =>
        Cases.Sample(c => Assert.True(TrimDecision.Head(c.Rule, c.Shard, c.Floors, c.Aged) >= c.Shard.Head));

    [Fact]
    public void Head_UnlessByTimeAlone_NeverPassesAFloor() =>
        Cases.Where(c => c.Rule.Mode != Retention.AfterTime && c.Floors.Length > 0).Sample(c =>
        {
            var head = TrimDecision.Head(c.Rule, c.Shard, c.Floors, c.Aged);
            Assert.True(head == c.Shard.Head || c.Floors.All(floor => Position.StartOf(head) <= floor));
        });

    [Fact]
    public void Head_WithTime_NeverPassesWhatIsYoung() =>
        Cases.Where(c => c.Rule.Mode != Retention.WhenSettled || c.Floors.Length == 0).Sample(c =>
            Assert.True(TrimDecision.Head(c.Rule, c.Shard, c.Floors, c.Aged) <= c.Aged));

    [Fact]
    public void Head_QueueWithoutReader_Stays() =>
        Cases.Where(c => !c.Rule.ForgetsUnread && c.Floors.Length == 0 && c.Rule.Mode != Retention.AfterTime).Sample(c =>
            Assert.Equal(c.Shard.Head, TrimDecision.Head(c.Rule, c.Shard, c.Floors, c.Aged)));

    [Fact]
    public void Head_OneMoreFloor_IsNotHigher() =>
        Gen.Select(Cases, Floors).Where((c, _) => c.Floors.Length > 0).Sample((c, floor) =>
            Assert.True(TrimDecision.Head(c.Rule, c.Shard, [.. c.Floors, floor], c.Aged) <= TrimDecision.Head(c.Rule, c.Shard, c.Floors, c.Aged)));

    [Theory]
    [InlineData(Retention.WhenSettled, 7, 3, 7)]
    [InlineData(Retention.AfterTime, 7, 3, 3)]
    [InlineData(Retention.WhenSettledAndAfterTime, 7, 3, 3)]
    [InlineData(Retention.WhenSettledAndAfterTime, 2, 3, 2)]
    public void Head_ByMode_IsTheLimitOfTheMode(Retention mode, long floor, long aged, long expected)
    {
        var shard = new ShardState(new Offset(10), Offset.First, Offset.First, []);
        var rule = new RetentionRule(mode, TimeSpan.FromDays(1), ForgetsUnread: true);

        Assert.Equal(new Offset(expected), TrimDecision.Head(rule, shard, [new Position(new Offset(floor), 1)], new Offset(aged)));
    }
}

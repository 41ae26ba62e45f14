using CsCheck;
using Pub.Topics;

namespace Pub.Tests.Topics;

/// <summary>The function is part of the stored format: these figures never change.</summary>
public class ShardHashTests
{
    // Published values of XXH64 with seed 0: "" EF46DB3751D8E999, "a" D24EC4F1A98C6E5B, "abc" 44BC2CF5AD770999.
    [Theory]
    [InlineData("", 16, 0x9)]
    [InlineData("", 1 << 30, 0x11D8E999)]
    [InlineData("a", 16, 0xB)]
    [InlineData("a", 1 << 30, 0x298C6E5B)]
    [InlineData("abc", 16, 0x9)]
    [InlineData("abc", 1 << 30, 0x2D770999)]
    [InlineData("abc", 1, 0)]
    public void ShardOf_PublishedVectors_Stay(string key, int shards, int expected) => Assert.Equal(expected, ShardHash.ShardOf(key, shards));

    [Fact]
    public void ShardOf_LoneSurrogate_CountsAsReplacement() =>
        Assert.Equal(ShardHash.ShardOf("a\uFFFD", 1 << 30), ShardHash.ShardOf("a\ud800", 1 << 30));

    [Theory]
    [InlineData(0)]
    [InlineData(-4)]
    [InlineData(3)]
    [InlineData(int.MinValue)]
    public void ShardOf_NoPowerOfTwo_Throws(int shards) => Assert.Throws<ArgumentOutOfRangeException>("shardCount", () => ShardHash.ShardOf("a", shards));

    [Fact]
    public void ShardOf_TwiceTheShards_IsTheSameOrThatPlusTheOldCount() =>
        Gen.Select(Gen.String, Gen.Int[0, 20]).Sample((key, power) =>
            ShardHash.ShardOf(key, 2 << power) - ShardHash.ShardOf(key, 1 << power) is var moved && (moved == 0 || moved == 1 << power));

    [Fact]
    public void ShardOf_ManyKeys_FillAllShards()
    {
        var counts = new int[16];
        for (var i = 0; i < 16_000; i++)
        {
            counts[ShardHash.ShardOf($"order-{i}", 16)]++;
        }

        Assert.All(counts, count => Assert.InRange(count, 850, 1_150));
    }
}

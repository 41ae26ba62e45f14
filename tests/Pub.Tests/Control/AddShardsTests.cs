using Pub.Tests.Topology;
using Pub.Topics;

namespace Pub.Tests.Control;

public sealed class AddShardsTests
{
    private static readonly TopicName Orders = TopicName.Topic("orders");

    [Theory]
    [InlineData(1, 2)]
    [InlineData(4, 16)]
    [InlineData(8, 32)]
    [InlineData(16, 32)]
    [InlineData(32, 128)]
    public async Task AddShards_KeyedMessages_AreFencedBehindTheOldMap(int before, int after)
    {
        await using var cluster = new TestCluster();
        await PrepareAsync(cluster, before);

        await cluster.Main.Controller.AddShardsAsync(Orders, after, TestCluster.Cancellation);

        await AssertFencedAsync(cluster, before, after);
    }

    [Fact]
    public async Task AddShards_ProducerWithTheOldMap_LooksAgain()
    {
        await using var cluster = new TestCluster();
        await PrepareAsync(cluster, 4);
        var producer = cluster.Start().Producer;
        const string key = "key-1";
        var message = new OutgoingMessage { Key = key, Body = "{}"u8.ToArray() };
        var first = await producer.PublishAsync(Orders, message, TestCluster.Cancellation);

        await cluster.Main.Controller.AddShardsAsync(Orders, 8, TestCluster.Cancellation);
        var second = await cluster.RunAsync(producer.PublishAsync(Orders, message, TestCluster.Cancellation).AsTask());

        Assert.Equal(ShardHash.ShardOf(key, 4), first.Place.Shard.Number);
        Assert.Equal(ShardHash.ShardOf(key, 8), second.Place.Shard.Number);
    }

    [Theory]
    [InlineData(8, 32)]
    [InlineData(32, 64)]
    public Task AddShards_DiesAnywhere_IsCompletedByTheNext(int before, int after) => TestCluster.ForEveryCrashAsync(
        cluster => PrepareAsync(cluster, before),
        work: process => process.Controller.AddShardsAsync(Orders, after, TestCluster.Cancellation),
        repeatAndCheck: async cluster =>
        {
            var halfWay = (await cluster.Main.Directory.RefreshAsync(Orders, TestCluster.Cancellation))!;
            Assert.True(halfWay.ShardCount == before || halfWay.ShardCount == after);
            for (var n = before; n < halfWay.ShardCount; n++)
            {
                Assert.NotNull(halfWay[n].Fence); // never seen without
            }

            await cluster.Start().Controller.AddShardsAsync(Orders, after, TestCluster.Cancellation);
            await AssertFencedAsync(cluster, before, after);
        });

    [Fact]
    public async Task AddShards_Fewer_IsRefused()
    {
        await using var cluster = new TestCluster();
        await PrepareAsync(cluster, 8);

        await Assert.ThrowsAsync<ArgumentException>(() => cluster.Main.Controller.AddShardsAsync(Orders, 4, TestCluster.Cancellation));
    }

    private static async Task PrepareAsync(TestCluster cluster, int shards)
    {
        await cluster.Main.Controller.CreateAsync(Orders, new TopicSettings { Shards = shards }, TestCluster.Cancellation);
        for (var n = 0; n < shards; n++)
        {
            await cluster.Main.AppendAsync(new ShardId(Orders, n));
        }

        await cluster.Main.AppendAsync(new ShardId(Orders, shards - 1));
    }

    private static async Task AssertFencedAsync(TestCluster cluster, int before, int after)
    {
        var topic = (await cluster.Main.Directory.RefreshAsync(Orders, TestCluster.Cancellation))!;
        Assert.Equal(after, topic.ShardCount);
        for (var n = 0; n < after; n++)
        {
            var lastByTheOldMap = n % before == before - 1 ? 2 : 1;
            if (n < before)
            {
                Assert.Null(topic[n].Fence);
                Assert.Equal(2, topic[n].Life);
                Assert.Equal(topic[n].Tail.Next, topic[n].SkipJumps(new Offset(lastByTheOldMap + 1)));
            }
            else
            {
                Assert.Equal(new ShardFence(n % before, new Offset(lastByTheOldMap + 1)), topic[n].Fence);
                Assert.Equal(Offset.None, topic[n].Tail);
            }
        }
    }
}

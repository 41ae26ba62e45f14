using Pub.Scheduling;
using Pub.Testing;

namespace Pub.Tests.Scheduling;

public sealed class BucketFeedTests : SchedulingTest
{
    [Fact]
    public async Task RefreshAsync_LogUpdatedWhileItReads_KeepsTheNewerState()
    {
        var store = new ScriptedStore(Store);
        var reader = new SchedulingProcess(store, Clock, token: 2);
        var feed = reader.Services.Feed;
        await Process.ScheduleAsync("first", TimeSpan.FromSeconds(20));
        await reader.Run(feed.RefreshAsync(Cancel));
        var bucket = feed.Open.Single().Bucket;

        // The log is read by then; its watch hears of the next message and tells it once.
        var rule = store.Add(new StoreRule
        {
            Operation = StoreOperation.Epoch,
            Before = async () =>
            {
                await Process.ScheduleAsync("second", TimeSpan.FromSeconds(20));
                feed.Update(bucket, await Process.Services.Logs.ReadAsync(bucket, Cancel));
            },
        });
        await reader.Run(feed.RefreshAsync(Cancel));

        Assert.Single(rule.Calls);
        Assert.Equal(2, Tails(feed));
        await reader.Run(feed.RefreshAsync(Cancel));
        Assert.Equal(2, Tails(feed));
    }

    private static long Tails(BucketFeed feed)
    {
        var log = feed.Open.Single().Log;
        return Enumerable.Range(0, log.ShardCount).Sum(shard => log[shard].Tail.Value);
    }
}

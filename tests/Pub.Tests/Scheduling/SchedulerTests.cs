using static Pub.Tests.Scheduling.SchedulingProcess;

namespace Pub.Tests.Scheduling;

public class SchedulerTests : SchedulingTest
{
    [Fact]
    public async Task Schedule_BeforeItIsDue_IsNotPublished()
    {
        await Process.ScheduleAsync("a", TimeSpan.FromSeconds(30));
        Clock.Advance(TimeSpan.FromSeconds(29.9));
        await Process.MoveAsync();
        Assert.Empty(await Process.PublishedAsync());
    }

    [Fact]
    public async Task Schedule_WhenItIsDue_IsPublishedOnce()
    {
        await Process.ScheduleAsync("a", TimeSpan.FromSeconds(30));
        await Process.MoveForAsync(TimeSpan.FromMinutes(5));
        Assert.Equal(["a"], await Process.PublishedAsync());
    }

    [Fact]
    public async Task Schedule_DueInThePast_IsPublishedAtOnce()
    {
        await Process.ScheduleAsync("a", TimeSpan.FromDays(-400));
        await Process.MoveAsync();
        Assert.Equal(["a"], await Process.PublishedAsync());
    }

    [Fact]
    public async Task Schedule_Whole_ComesBackAsItWas()
    {
        var message = new OutgoingMessage
        {
            Id = "id",
            Key = "k;1",
            Type = "ö",
            ContentType = "application/json",
            Body = "{\"a\":1}"u8.ToArray(),
            Headers = new Dictionary<string, string> { ["x;y"] = "z" },
            TimeToLive = TimeSpan.FromMinutes(1),
        };
        var due = Clock.GetUtcNow() + TimeSpan.FromHours(1);
        await Process.Scheduler.ScheduleAsync(Orders, message, due, Cancel);
        Clock.Advance(TimeSpan.FromHours(1));
        await Process.MoveAsync();

        var published = Assert.Single(await Process.MessagesAsync());
        Assert.Equal(("id", "k;1", "ö", "application/json"), (published.Id, published.Key, published.Type, published.ContentType));
        Assert.Equal("{\"a\":1}"u8.ToArray(), published.Body.ToArray());
        Assert.Equal([new("x;y", "z")], published.Headers);
        Assert.Equal((due, due + TimeSpan.FromMinutes(1)), (published.Sent, published.Expires!.Value));
    }

    [Fact]
    public async Task Schedule_WithSent_KeepsSentAndExpiry()
    {
        var sent = Clock.GetUtcNow() - TimeSpan.FromSeconds(3);
        var message = new OutgoingMessage { Body = "{}"u8.ToArray(), Sent = sent, TimeToLive = TimeSpan.FromHours(1) };
        await Process.Scheduler.ScheduleAsync(Orders, message, Clock.GetUtcNow() + TimeSpan.FromSeconds(5), Cancel);
        await Process.MoveForAsync(TimeSpan.FromSeconds(6));
        var published = Assert.Single(await Process.MessagesAsync());
        Assert.Equal((sent, sent + TimeSpan.FromHours(1)), (published.Sent, published.Expires!.Value));
    }

    [Fact]
    public async Task Schedule_OneKey_KeepsItsOrder()
    {
        var due = Clock.GetUtcNow() + TimeSpan.FromSeconds(20);
        var calls = Enumerable.Range(0, 300).Select(i => Process.Scheduler.ScheduleAsync(Orders, Message(i.ToString("000"), "key"), due).AsTask()).ToList();
        await Process.Run(Task.WhenAll(calls));
        await Process.MoveForAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(Enumerable.Range(0, 300).Select(i => i.ToString("000")), (await Process.MessagesAsync()).Select(message => message.Id));
    }

    [Fact]
    public async Task Schedule_OwnHeader_IsRefused()
    {
        var message = new OutgoingMessage { Headers = new Dictionary<string, string> { ["pub-schedule"] = "x" } };
        await Assert.ThrowsAsync<ArgumentException>(() => Process.Scheduler.ScheduleAsync(Orders, message, Clock.GetUtcNow(), Cancel).AsTask());
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("a;b")]
    public async Task Schedule_BadToken_IsRefused(string token) =>
        await Assert.ThrowsAsync<ArgumentException>(() => Process.Scheduler.ScheduleAsync(token, Orders, Message("a"), Clock.GetUtcNow(), Cancel).AsTask());

    /// <summary>executions.md 17: a redelivery goes to the subscription's own queue, and nowhere else.</summary>
    [Fact]
    public async Task Execution17_RedeliveryWithDelay_ReachesTheOwnQueueAlone()
    {
        var own = SubscriptionName.Plain("audit").OwnQueue;
        var due = Clock.GetUtcNow() + TimeSpan.FromSeconds(5);
        var delayed = Enumerable.Range(0, 3000).Select(i => new Pub.Scheduling.ScheduledMessage(own, Message(i.ToString("0000")), due)).ToList();
        await Process.Run(Process.Scheduler.ScheduleManyAsync(delayed, Cancel).AsTask());
        await Process.MoveForAsync(TimeSpan.FromSeconds(6));
        Assert.Equal(delayed.Select(message => message.Message.Id!), await Process.PublishedAsync(own));
        Assert.Empty(await Process.PublishedAsync());
    }

    [Fact]
    public async Task Schedule_AllMoved_LeavesNoLogAndNoEntry()
    {
        await Process.ScheduleAsync("a", TimeSpan.FromSeconds(1));
        await Process.ScheduleAsync("b", TimeSpan.FromSeconds(15));
        await Process.ScheduleAsync("token", "c", TimeSpan.FromSeconds(15));
        var logs = await Process.LogsAsync();
        await Process.MoveForAsync(TimeSpan.FromMinutes(4));
        Assert.Equal(["a", "b", "c"], await Process.PublishedAsync());
        Assert.Empty(await Process.LogsAsync());
        foreach (var log in logs)
        {
            Assert.Null(await Process.Services.Logs.ReadAsync(log, Cancel));
            Assert.Empty(await Process.MessagesAsync(log.Topic));
        }
    }
}

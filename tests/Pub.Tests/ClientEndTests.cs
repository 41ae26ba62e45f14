using Pub.Storage;
using Pub.Storage.Memory;
using Pub.Testing;
using Pub.Topics;
using Pub.Topology;

namespace Pub.Tests;

/// <summary>Starts that fail or are overtaken by an end leave nothing running and nothing stored that holds others up.</summary>
public sealed class ClientEndTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private static readonly SubscriptionName Audit = SubscriptionName.Plain("audit");
    private static readonly TopicName Orders = TopicName.Topic("orders");

    private readonly ScriptedStore _store = new(new MemoryDocumentStore());

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task StopAsync_WhileSomebodySubscribes_EndsBoth()
    {
        var held = HoldJoining();
        var pub = PubClient.Create(_store);
        var subscribing = pub.SubscribeAsync(Audit, options => options.Read(Orders), Cancellation);
        await held.Rule.Reached.WaitAsync(Limit, Cancellation);

        var stopping = pub.StopAsync();

        held.GoesOn.SetResult();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => subscribing.WaitAsync(Limit, Cancellation));
        await stopping.WaitAsync(Limit, Cancellation);
        Assert.Empty(pub.Consumers);
    }

    [Fact]
    public async Task SubscribeAsync_DeletedBeforeItsFirstLease_Ends()
    {
        var held = HoldJoining();
        await using var pub = PubClient.Create(_store);
        var subscribing = pub.SubscribeAsync(Audit, options => options.Read(Orders), Cancellation);
        await held.Rule.Reached.WaitAsync(Limit, Cancellation);
        await using (var other = PubClient.Create(_store.Inner))
        {
            await other.Controller.DeleteAsync(Audit, Cancellation);
        }

        held.GoesOn.SetResult();
        var consumer = await subscribing.WaitAsync(Limit, Cancellation);

        await UntilAsync("the consumer of what is deleted has stopped", () => pub.Consumers.Count == 0 && consumer.HeldLeases.Count == 0);
        var again = await pub.SubscribeAsync(Audit, options => options.Read(Orders), Cancellation);
        Assert.Equal([again], pub.Consumers);
    }

    [Fact]
    public async Task RunAsync_SettingAsideFailsUnexpectedly_TheHandlersGoOn()
    {
        await using var pub = PubClient.Create(_store);
        var queue = SubscriptionName.Queue("orders");
        var consumer = await pub.SubscribeAsync(
            queue, options => (options.Concurrency, options.RedeliveryDelay) = (1, TimeSpan.FromSeconds(1)), Cancellation);
        await pub.Producer.PublishAsync(queue.OwnQueue, new OutgoingMessage { Body = "{}"u8.ToArray() }, Cancellation);
        _store.Decide = call => call.Key.Collection == DocumentCollection.Schedules
            ? new StoreRule { Operation = call.Operation, Before = () => throw new InvalidOperationException("Told to fail.") }
            : null;

        var again = Completion.Source<int>();
        var running = consumer.RunAsync(
            (delivery, _) => delivery.DeliveryCount == 1 ? throw new InvalidOperationException("Try again.") : Task.FromResult(again.TrySetResult(delivery.DeliveryCount)),
            Cancellation);

        Assert.Equal(2, await again.Task.WaitAsync(Limit, Cancellation));
        _store.Decide = null;
        await consumer.StopAsync().WaitAsync(Limit, Cancellation);
        await running.WaitAsync(Limit, Cancellation);
    }

    [Fact]
    public async Task SubscribeAsync_TemporaryThatCannotBeListed_IsNotLeftBehind()
    {
        await using var pub = PubClient.Create(_store);
        _store.Fail(StoreOperation.Insert, StoreFault.Unavailable, key => key == DocumentKeys.TopicTopology(Orders), times: 100);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => pub.SubscribeAsync(
            Audit,
            options =>
            {
                options.IsTemporary = true;
                options.Read(Orders);
            },
            Cancellation));

        Assert.False((await _store.Inner.GetAsync(DocumentKeys.Subscription(Audit), Cancellation)).Exists);
        Assert.Empty(pub.Consumers);
    }

    [Fact]
    public async Task Update_AfterTheConsumerHasStopped_WatchesNothing()
    {
        var late = TopicName.Topic("late");
        await using var pub = PubClient.Create(_store);
        var consumer = await pub.SubscribeAsync(Audit, options => options.Read(Orders), Cancellation);
        await pub.Producer.PublishAsync(late, new OutgoingMessage { Body = "{}"u8.ToArray() }, Cancellation);
        await consumer.StopAsync();
        _store.ClearCalls();

        // As the registry's loop does that was telling its news when the watch was ended.
        consumer.Runtime.Update(consumer.View with { Sources = [.. consumer.View.Sources, new SubscriptionSource(late, [], [Orders])] });

        await Task.Delay(50, Cancellation);
        Assert.DoesNotContain(_store.Calls, call => call.Operation == StoreOperation.Wait && call.Key == DocumentKeys.Topic(late, 0));
    }

    /// <summary>The keeper's first write waits until the test lets it go on.</summary>
    private (StoreRule Rule, TaskCompletionSource GoesOn) HoldJoining()
    {
        var goesOn = Completion.Source();
        var rule = _store.Add(new StoreRule
        {
            Operation = StoreOperation.Insert,
            Where = key => key.Collection == DocumentCollection.Leases && key.ToString().Contains("audit", StringComparison.Ordinal),
            Before = () => goesOn.Task,
        });
        return (rule, goesOn);
    }

    private static async Task UntilAsync(string reason, Func<bool> condition)
    {
        var limit = Environment.TickCount64 + (long)Limit.TotalMilliseconds;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 < limit, $"Waited in vain: {reason}.");
            await Task.Delay(5, Cancellation);
        }
    }
}

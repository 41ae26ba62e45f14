using Microsoft.Extensions.DependencyInjection;

namespace Pub.Transport.Tests;

public sealed class ScheduleMemorySpecs : ScheduleSpecs<MemoryStore>;

public sealed class ScheduleSqliteSpecs : ScheduleSpecs<SqliteStore>;

public abstract class ScheduleSpecs<TStore> : TransportSpec<TStore>
    where TStore : ITestStore, new()
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(500);

    [Fact]
    public async Task Schedule_OutsideAConsumer_SendsAndPublishesWhenDueAndCancelsByTokenAlone()
    {
        var inbox = new Inbox<(int Number, DateTime At)>();
        var bus = await StartAsync(
            x => x.AddPubMessageScheduler(),
            (_, cfg) => cfg.ReceiveEndpoint("orders", e => e.Handler<OrderSubmitted>(context => Take(inbox, (context.Message.Number, DateTime.UtcNow)))));
        await using var scope = bus.Services.CreateAsyncScope();
        var scheduler = scope.ServiceProvider.GetRequiredService<IMessageScheduler>();
        var due = DateTime.UtcNow + Soon;

        var cancelled = await scheduler.ScheduleSend(new Uri("queue:orders"), due, new OrderSubmitted(1), Cancellation);
        var cancelledPublish = await scheduler.SchedulePublish(due, new OrderSubmitted(2), Cancellation);
        await scheduler.ScheduleSend(new Uri("queue:orders"), due, new OrderSubmitted(3), Cancellation);
        await scheduler.SchedulePublish(due, new OrderSubmitted(4), Cancellation);
        await ((IMessageScheduler)scheduler).CancelScheduledSend(new Uri("queue:orders"), cancelled.TokenId, Cancellation);
        await scheduler.CancelScheduledPublish<OrderSubmitted>(cancelledPublish.TokenId, Cancellation);

        var arrived = await inbox.TakeAsync(2);
        Assert.Equal([3, 4], arrived.Select(item => item.Number).Order());
        Assert.All(arrived, item => Assert.True(item.At >= due - TimeSpan.FromMilliseconds(50), $"{item.At:O} is before {due:O}"));
        await bus.StopAsync();
        Assert.Empty(inbox.Rest());
    }

    [Fact]
    public async Task Schedule_InAConsumer_ArrivesWhenDue()
    {
        var inbox = new Inbox<int>();
        var bus = await StartAsync(cfg =>
        {
            cfg.UsePubMessageScheduler();
            cfg.ReceiveEndpoint("orders", e => e.Handler<CheckOrder>(async context =>
            {
                var cancelled = await context.ScheduleSend(Soon, new OrderSubmitted(1));
                await context.CancelScheduledSend(cancelled);
                await context.ScheduleSend(Soon, new OrderSubmitted(context.Message.Number));
            }));
            cfg.ReceiveEndpoint("due", e => e.Handler<OrderSubmitted>(context => Take(inbox, context.Message.Number)));
            cfg.ReceiveEndpoint("orders2", e => e.Handler<Placed>(context => context.SchedulePublish(Soon, new OrderSubmitted(context.Message.Number))));
        });
        await bus.Bus.Publish(new Placed(9), Cancellation);

        Assert.Equal(9, await inbox.TakeAsync());
    }

    [Fact]
    public async Task DelayedRedelivery_ComesBackToTheFailingEndpointAlone()
    {
        var (failing, other) = (new Inbox<(int Redeliveries, string? Key)>(), new Inbox<int>());
        var bus = await StartAsync(cfg =>
        {
            cfg.ReceiveEndpoint("failing", e =>
            {
                e.UseDelayedRedelivery(retry => retry.Intervals(200, 300));
                e.Handler<OrderSubmitted>(context =>
                {
                    context.TryGetPayload<PubMessageContext>(out var pub);
                    failing.Add((context.GetRedeliveryCount(), pub!.PartitionKey));
                    return context.GetRedeliveryCount() < 2 ? throw new InvalidOperationException("not yet") : Task.CompletedTask;
                });
            });
            cfg.ReceiveEndpoint("other", e => e.Handler<OrderSubmitted>(context => Take(other, context.Message.Number)));
        });
        await bus.Bus.Publish(new OrderSubmitted(1), context => context.SetPartitionKey("customer-1"), Cancellation);

        Assert.Equal([(0, "customer-1"), (1, "customer-1"), (2, "customer-1")], await failing.TakeAsync(3));
        Assert.Equal(1, await other.TakeAsync());
        await bus.StopAsync();
        Assert.Empty(failing.Rest());
        Assert.Empty(other.Rest());
    }

    [Fact]
    public async Task Redeliver_InAConsumer_ComesBack()
    {
        var inbox = new Inbox<int>();
        var bus = await StartAsync(cfg =>
        {
            cfg.UsePubMessageScheduler();
            cfg.ReceiveEndpoint("orders", e => e.Handler<OrderSubmitted>(context =>
            {
                inbox.Add(context.GetRedeliveryCount());
                return context.GetRedeliveryCount() == 0 ? context.Redeliver(Soon) : Task.CompletedTask;
            }));
        });
        await bus.Bus.Publish(new OrderSubmitted(1), Cancellation);

        Assert.Equal([0, 1], await inbox.TakeAsync(2));
    }

    private static Task Take<T>(Inbox<T> inbox, T item)
    {
        inbox.Add(item);
        return Task.CompletedTask;
    }

    public record Placed(int Number);
}

using MassTransit.Courier.Contracts;
using Microsoft.Extensions.DependencyInjection;

namespace Pub.Transport.Tests;

public sealed class PatternMemorySpecs : PatternSpecs<MemoryStore>;

public sealed class PatternSqliteSpecs : PatternSpecs<SqliteStore>;

/// <summary>What MassTransit builds on any transport that keeps the contract.</summary>
public abstract class PatternSpecs<TStore> : TransportSpec<TStore>
    where TStore : ITestStore, new()
{
    [Fact]
    public async Task BatchConsumer_FullBatches_ComeInOneCallEach()
    {
        var batches = new Inbox<int[]>();
        var bus = await StartAsync(
            x => x.AddConsumer<BatchConsumer>(c => c.Options<BatchOptions>(o => o.SetMessageLimit(10).SetConcurrencyLimit(2).SetTimeLimit(s: 20))),
            (context, cfg) => cfg.ConfigureEndpoints(context),
            services => services.AddSingleton(batches));
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => bus.Bus.Publish(new OrderSubmitted(i), Cancellation)));

        var received = await batches.TakeAsync(2);
        Assert.All(received, batch => Assert.Equal(10, batch.Length));
        Assert.Equal(Enumerable.Range(0, 20), received.SelectMany(batch => batch).Order());
    }

    [Fact]
    public async Task StateMachineSaga_WithAScheduledTimeout_ExpiresUnlessItIsUnscheduled()
    {
        var expired = new Inbox<Guid>();
        var bus = await StartAsync(
            x => x.AddSagaStateMachine<OrderStateMachine, OrderState>().InMemoryRepository(),
            (context, cfg) =>
            {
                cfg.UsePubMessageScheduler();
                cfg.ReceiveEndpoint("expired", e => e.Handler<OrderExpired>(message =>
                {
                    expired.Add(message.Message.OrderId);
                    return Task.CompletedTask;
                }));
                cfg.ConfigureEndpoints(context);
            });
        var (paid, forgotten) = (NewId.NextGuid(), NewId.NextGuid());
        await bus.Bus.Publish(new OrderOpened(paid), Cancellation);
        await bus.Bus.Publish(new OrderPaid(paid), Cancellation);
        await bus.Bus.Publish(new OrderOpened(forgotten), Cancellation);

        Assert.Equal(forgotten, await expired.TakeAsync());
        await bus.StopAsync();
        Assert.Empty(expired.Rest());
    }

    [Fact]
    public async Task RoutingSlip_SecondActivityFails_TheFirstIsCompensated()
    {
        var (done, compensated, faulted) = (new Inbox<string>(), new Inbox<string>(), new Inbox<Guid>());
        var bus = await StartAsync(
            x =>
            {
                x.AddActivity<ReserveActivity, Reserve, Reserved>();
                x.AddExecuteActivity<ChargeActivity, Charge>();
            },
            (context, cfg) =>
            {
                cfg.ReceiveEndpoint("slips", e => e.Handler<RoutingSlipFaulted>(slip =>
                {
                    faulted.Add(slip.Message.TrackingNumber);
                    return Task.CompletedTask;
                }));
                cfg.ConfigureEndpoints(context);
            },
            services => services.AddKeyedSingleton("done", done).AddKeyedSingleton("compensated", compensated));
        var builder = new RoutingSlipBuilder(NewId.NextGuid());
        builder.AddActivity("reserve", new Uri("queue:Reserve_execute"), new { Item = "book" });
        builder.AddActivity("charge", new Uri("queue:Charge_execute"), new { Amount = -1 });
        await bus.Bus.Execute(builder.Build());

        Assert.Equal("book", await done.TakeAsync());
        Assert.Equal("book", await compensated.TakeAsync());
        Assert.Equal(builder.TrackingNumber, await faulted.TakeAsync());
    }

    [Fact]
    public async Task InMemoryOutbox_ConsumerFails_SendsNothing()
    {
        var inbox = new Inbox<int>();
        var bus = await StartAsync(_ => { }, (registration, cfg) =>
        {
            cfg.ReceiveEndpoint("orders", e =>
            {
                e.UseMessageRetry(retry => retry.Immediate(1));
                e.UseInMemoryOutbox(registration);
                e.Handler<CheckOrder>(async context =>
                {
                    await context.Publish(new OrderSubmitted(context.GetRetryAttempt()));
                    if (context.GetRetryAttempt() == 0)
                    {
                        throw new InvalidOperationException("after publishing");
                    }
                });
            });
            cfg.ReceiveEndpoint("listener", e => e.Handler<OrderSubmitted>(context =>
            {
                inbox.Add(context.Message.Number);
                return Task.CompletedTask;
            }));
        });
        await bus.Bus.Publish(new CheckOrder(1), Cancellation);

        Assert.Equal(1, await inbox.TakeAsync());
        await bus.StopAsync();
        Assert.Empty(inbox.Rest());
    }

    /// <summary>Also with partition keys on the job sagas' messages: one key for all types of one job (facts, 1.6).</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task JobConsumer_Submitted_RunsAndCompletes(bool withPartitionKeys)
    {
        var jobs = new Inbox<string>();
        var completed = new Inbox<Guid>();
        var bus = await StartAsync(
            x =>
            {
                x.SetInMemorySagaRepositoryProvider();
                x.AddJobSagaStateMachines();
                x.AddConsumer<CrunchConsumer>(c => c.Options<JobOptions<Crunch>>(o => o.SetJobTimeout(TimeSpan.FromMinutes(1)).SetConcurrentJobLimit(2)));
            },
            (context, cfg) =>
            {
                cfg.UsePubMessageScheduler();
                if (withPartitionKeys)
                {
                    cfg.UseJobSagaPartitionKeyFormatters();
                }

                cfg.ReceiveEndpoint("completed", e => e.Handler<MassTransit.Contracts.JobService.JobCompleted>(job =>
                {
                    Assert.Equal(withPartitionKeys ? job.Message.JobId.ToString("N") : null, job.PartitionKey());
                    completed.Add(job.Message.JobId);
                    return Task.CompletedTask;
                }));
                cfg.ConfigureEndpoints(context);
            },
            services => services.AddSingleton(jobs));
        var jobId = NewId.NextGuid();
        var client = bus.Bus.CreateClientFactory().CreateRequestClient<MassTransit.Contracts.JobService.SubmitJob<Crunch>>();
        await client.GetResponse<MassTransit.Contracts.JobService.JobSubmissionAccepted>(new { JobId = jobId, Job = new { Name = "numbers" } }, Cancellation);

        Assert.Equal("numbers", await jobs.TakeAsync());
        Assert.Equal(jobId, await completed.TakeAsync());
    }

    [Fact]
    public async Task ConsumerSaga_InMemoryRepository_IsFoundByItsCorrelationId()
    {
        var paid = new Inbox<Guid>();
        var bus = await StartAsync(
            x => x.AddSaga<PaymentSaga>().InMemoryRepository(),
            (context, cfg) =>
            {
                cfg.ReceiveEndpoint("paid", e => e.Handler<PaymentDone>(message =>
                {
                    paid.Add(message.Message.CorrelationId);
                    return Task.CompletedTask;
                }));
                cfg.ConfigureEndpoints(context);
            });
        var id = NewId.NextGuid();
        await bus.Bus.Publish(new PaymentStarted { CorrelationId = id }, Cancellation);

        Assert.Equal(id, await paid.TakeAsync());
    }

    [Fact]
    public async Task RawJson_SentAndConsumed_KeepsHeadersAndIds()
    {
        var inbox = new Inbox<ConsumeContext<OrderSubmitted>>();
        var bus = await StartAsync(cfg =>
        {
            cfg.UseRawJsonSerializer(isDefault: true);
            cfg.ReceiveEndpoint("orders", e => e.Handler<OrderSubmitted>(context =>
            {
                inbox.Add(context);
                return Task.CompletedTask;
            }));
        });
        var correlationId = NewId.NextGuid();
        await bus.Bus.Publish(
            new OrderSubmitted(8),
            context =>
            {
                context.CorrelationId = correlationId;
                context.Headers.Set("number", 42);
            },
            Cancellation);

        var received = await inbox.TakeAsync();
        Assert.Equal(8, received.Message.Number);
        Assert.Equal("application/json", received.ReceiveContext.ContentType.MediaType);
        Assert.Equal(correlationId, received.CorrelationId);
        Assert.Equal(42, received.Headers.Get<int>("number"));
    }
}

public sealed class BatchConsumer(Inbox<int[]> batches) : IConsumer<Batch<OrderSubmitted>>
{
    public Task Consume(ConsumeContext<Batch<OrderSubmitted>> context)
    {
        batches.Add([.. context.Message.Select(item => item.Message.Number)]);
        return Task.CompletedTask;
    }
}

public record OrderOpened(Guid OrderId);

public record OrderPaid(Guid OrderId);

public record OrderTimedOut(Guid OrderId);

public record OrderExpired(Guid OrderId);

public sealed class OrderState : SagaStateMachineInstance
{
    public Guid CorrelationId { get; set; }

    public string? CurrentState { get; set; }

    public Guid? TimeoutToken { get; set; }
}

public sealed class OrderStateMachine : MassTransitStateMachine<OrderState>
{
    public OrderStateMachine()
    {
        InstanceState(x => x.CurrentState);
        Event(() => Opened, x => x.CorrelateById(context => context.Message.OrderId));
        Event(() => Paid, x =>
        {
            x.CorrelateById(context => context.Message.OrderId);

            // Published right after the other, it may come first: two topics have no order.
            x.InsertOnInitial = true;
            x.SetSagaFactory(context => new OrderState { CorrelationId = context.Message.OrderId });
        });
        Schedule(() => Timeout, x => x.TimeoutToken, x =>
        {
            x.Delay = TimeSpan.FromMilliseconds(700);
            x.Received = e => e.CorrelateById(context => context.Message.OrderId);
        });
        Initially(
            When(Opened).Schedule(Timeout, context => new OrderTimedOut(context.Message.OrderId)).TransitionTo(Open),
            When(Paid).TransitionTo(Done));
        During(Open, When(Paid).Unschedule(Timeout).TransitionTo(Done), When(Timeout!.Received).Publish(context => new OrderExpired(context.Message.OrderId)).TransitionTo(Done));
        During(Done, Ignore(Opened), Ignore(Timeout.Received));
    }

    public State Open { get; private set; } = null!;

    public State Done { get; private set; } = null!;

    public Event<OrderOpened> Opened { get; private set; } = null!;

    public Event<OrderPaid> Paid { get; private set; } = null!;

    public Schedule<OrderState, OrderTimedOut> Timeout { get; private set; } = null!;
}

public record PaymentStarted : CorrelatedBy<Guid>
{
    public Guid CorrelationId { get; init; }
}

public record PaymentDone(Guid CorrelationId);

public sealed class PaymentSaga : ISaga, InitiatedBy<PaymentStarted>
{
    public Guid CorrelationId { get; set; }

    public Task Consume(ConsumeContext<PaymentStarted> context) => context.Publish(new PaymentDone(CorrelationId));
}

public record Reserve
{
    public string Item { get; init; } = "";
}

public record Reserved
{
    public string Item { get; init; } = "";
}

public record Charge
{
    public int Amount { get; init; }
}

public sealed class ReserveActivity([FromKeyedServices("done")] Inbox<string> done, [FromKeyedServices("compensated")] Inbox<string> compensated) :
    IActivity<Reserve, Reserved>
{
    public Task<ExecutionResult> Execute(ExecuteContext<Reserve> context)
    {
        done.Add(context.Arguments.Item);
        return Task.FromResult(context.Completed<Reserved>(new { context.Arguments.Item }));
    }

    public Task<CompensationResult> Compensate(CompensateContext<Reserved> context)
    {
        compensated.Add(context.Log.Item);
        return Task.FromResult(context.Compensated());
    }
}

public sealed class ChargeActivity : IExecuteActivity<Charge>
{
    public Task<ExecutionResult> Execute(ExecuteContext<Charge> context) => throw new InvalidOperationException("no money");
}

public record Crunch
{
    public string Name { get; init; } = "";
}

public sealed class CrunchConsumer(Inbox<string> jobs) : IJobConsumer<Crunch>
{
    public Task Run(JobContext<Crunch> context)
    {
        jobs.Add(context.Job.Name);
        return Task.CompletedTask;
    }
}

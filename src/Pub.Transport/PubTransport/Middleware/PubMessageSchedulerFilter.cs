using MassTransit.Context;
using MassTransit.Scheduling;

namespace MassTransit.PubTransport.Middleware;

/// <summary>Gives consumers the store's schedules: <c>context.ScheduleSend</c>, <c>context.SchedulePublish</c>, saga schedules.</summary>
internal sealed class PubMessageSchedulerFilter : IFilter<ConsumeContext>
{
    public Task Send(ConsumeContext context, IPipe<ConsumeContext> next)
    {
        context.GetOrAddPayload<MessageSchedulerContext>(() => new ConsumeMessageSchedulerContext(context, MakeScheduler));
        return next.Send(context);
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("pubScheduler");

    private static IMessageScheduler MakeScheduler(ConsumeContext context) => new MessageScheduler(
        new PubScheduleMessageProvider(context.GetPayload<ClientContext>().Client, context), context.GetPayload<IBusTopology>());
}

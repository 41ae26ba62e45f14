using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace Pub.Product.Tests.Snippets;

internal static class MassTransitBus
{
    public static void Configure(Builder builder)
    {
        // begin
        builder.Services.AddPubSqlite("orders.db");          // or AddPubInMemory()
        builder.Services.AddMassTransit(x =>
        {
            x.AddConsumer<SubmitOrderConsumer>();
            x.AddPubMessageScheduler();                      // IMessageScheduler outside of consumers
            x.UsingPub((context, cfg) =>
            {
                cfg.UsePubMessageScheduler();                // scheduling in consumers and sagas
                cfg.ConfigureEndpoints(context);
            });
        });
        // end
    }

    /// <summary>The part of a host's builder that the example needs.</summary>
    internal sealed record Builder(IServiceCollection Services);

    internal sealed record SubmitOrder(string Number);

    internal sealed class SubmitOrderConsumer : IConsumer<SubmitOrder>
    {
        public Task Consume(ConsumeContext<SubmitOrder> context) => Task.CompletedTask;
    }
}

using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Pub;

namespace Pub.Product.Tests.Snippets;

internal static class FirstExample
{
    public static async Task RunAsync()
    {
        // begin
        await using var services = new ServiceCollection().AddPubSqlite("pub.db").BuildServiceProvider();
        var pub = services.GetRequiredService<PubClient>();

        // A subscription sees what is published after it was declared.
        var orders = TopicName.Topic("orders");
        var consumer = await pub.SubscribeAsync(SubscriptionName.Plain("billing"), options => options.Read(orders));

        // When this returns, the message is on disk and will be delivered. Messages with one key keep their order.
        await pub.Producer.PublishAsync(orders, new OutgoingMessage { Key = "customer-7", Body = Encoding.UTF8.GetBytes("""{"order":1}""") });

        foreach (var delivery in await consumer.PullAsync(10, TimeSpan.FromSeconds(5)))
        {
            Console.WriteLine(Encoding.UTF8.GetString(delivery.Message.Body.Span));
            delivery.Ack();
        }
        // end
    }
}

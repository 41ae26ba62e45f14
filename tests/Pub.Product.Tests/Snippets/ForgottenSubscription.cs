using Microsoft.Extensions.DependencyInjection;
using Pub;

namespace Pub.Product.Tests.Snippets;

internal static class ForgottenSubscription
{
    public static async Task RunAsync()
    {
        // begin
        await using var services = new ServiceCollection().AddPubSqlite("pub.db").BuildServiceProvider();
        var controller = services.GetRequiredService<PubClient>().Controller;
        foreach (var fact in await controller.FindHealthFactsAsync())
        {
            Console.WriteLine($"{fact.Concern} {fact.Subject}: {fact.Detail}");
        }

        await controller.DeleteAsync(SubscriptionName.Plain("forgotten"));
        // end
    }
}

using Microsoft.Extensions.DependencyInjection;
using Pub;

namespace Pub.Product.Tests.Snippets;

internal static class RaiseTails
{
    public static async Task RunAsync()
    {
        // begin
        await using var services = new ServiceCollection().AddPubSqlite("pub.db").BuildServiceProvider();
        var raised = await services.GetRequiredService<PubClient>().Controller.RaiseTailsAsync();
        Console.WriteLine($"{raised} shards raised.");
        // end
    }
}

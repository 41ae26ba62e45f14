using Microsoft.Extensions.DependencyInjection;
using Pub;

namespace Pub.Product.Tests.Snippets;

internal static class NamedStores
{
    public static async Task RunAsync()
    {
        // begin
        var services = new ServiceCollection();
        services.AddPubSqlite("pub.db", options => options.SessionTimeout = TimeSpan.FromSeconds(20));
        services.AddPubSqlite("audit", "audit.db");

        await using var provider = services.BuildServiceProvider();
        var pub = provider.GetRequiredService<PubClient>();
        var audit = provider.GetRequiredKeyedService<PubClient>("audit");
        // end
        _ = (pub, audit);
    }
}

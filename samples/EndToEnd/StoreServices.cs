using Microsoft.Extensions.DependencyInjection;

namespace EndToEnd;

/// <summary>The one line that differs between stores.</summary>
internal static class StoreServices
{
    public static IServiceCollection AddStore(this IServiceCollection services, Settings settings) =>
        settings.Store == StoreKind.Memory ? services.AddPubInMemory() : services.AddPubSqlite(settings.SqlitePath);
}

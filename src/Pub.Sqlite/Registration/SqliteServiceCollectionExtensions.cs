using Microsoft.Extensions.Options;
using Pub;
using Pub.Registration;
using Pub.Sqlite;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers Pub on the embedded durable store; see <see cref="PubServiceCollectionExtensions"/> for what is registered.</summary>
public static class SqliteServiceCollectionExtensions
{
    /// <summary>
    /// Registers Pub on a SQLite file. Settings of the file come from the configuration's section <c>Pub:Sqlite</c>, and then from code, which wins.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="path">The file; made if it does not exist, its directory must. A relative path counts from the current directory.</param>
    /// <param name="configure">Settings of the protocol.</param>
    /// <param name="configureStore">Settings of the file.</param>
    /// <exception cref="InvalidOperationException">A store without a name is registered already.</exception>
    public static IServiceCollection AddPubSqlite(
        this IServiceCollection services, string path, Action<PubOptions>? configure = null, Action<SqliteStoreOptions>? configureStore = null) =>
        Add(services, null, path, configure, configureStore);

    /// <summary>
    /// Registers Pub on a SQLite file under a name. Settings of the file come from the section <c>Pub:&lt;name&gt;:Sqlite</c>, and then from code, which wins.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="name">The store's name: the key of its services, and its part of the configuration.</param>
    /// <param name="path">The file; made if it does not exist, its directory must. A relative path counts from the current directory.</param>
    /// <param name="configure">Settings of the protocol.</param>
    /// <param name="configureStore">Settings of the file.</param>
    /// <exception cref="ArgumentException">The name is not allowed.</exception>
    /// <exception cref="InvalidOperationException">A store of this name is registered already.</exception>
    public static IServiceCollection AddPubSqlite(
        this IServiceCollection services, string name, string path, Action<PubOptions>? configure = null, Action<SqliteStoreOptions>? configureStore = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Add(services, name, path, configure, configureStore);
    }

    private static IServiceCollection Add(
        IServiceCollection services, string? name, string path, Action<PubOptions>? configure, Action<SqliteStoreOptions>? configureStore)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(path);
        services.AddPub(
            new StoreRegistration
            {
                Name = name,
                MaxDocumentBytes = SqliteDocumentStore.MaxBytes,
                OpenAsync = async (provider, cancellation) => await SqliteDocumentStore.OpenAsync(
                    provider.GetRequiredService<IOptionsMonitor<SqliteStoreOptions>>().Get(name ?? Options.Options.DefaultName),
                    provider.GetService<TimeProvider>(),
                    cancellation),
            },
            configure);
        PubServiceCollectionExtensions.AddPubSettings<SqliteStoreOptions>(
            services, name, StoreName.SectionOf(name) + ":Sqlite", options => options.FindFaults(), options =>
            {
                options.Path = path;
                configureStore?.Invoke(options);
            });
        return services;
    }
}

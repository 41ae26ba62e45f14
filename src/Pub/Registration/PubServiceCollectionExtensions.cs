using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Pub;
using Pub.Registration;
using Pub.Storage;
using Pub.Storage.Memory;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>
/// Registers Pub: a <see cref="PubClient"/>, its <see cref="Producer"/>, <see cref="Scheduler"/> and <see cref="Controller"/>, and a <see cref="PubHealth"/>, all singletons; those of a
/// named store as keyed services under its name.
/// </summary>
/// <remarks>
/// <para>Settings come from the configuration's section <c>Pub</c>, or <c>Pub:&lt;name&gt;</c> for a named store, and then from code, which wins. All
/// are checked when the host starts (without a host: when the client is first asked for); all faults come in one
/// <see cref="OptionsValidationException"/> that names each setting and what is allowed.</para>
/// <para>A store is opened at its first use, or by <see cref="PubClient.OpenAsync"/>. The container that made the client stops it: consumers give up
/// their leases, what is being published is finished, the store is closed.</para>
/// </remarks>
public static class PubServiceCollectionExtensions
{
    /// <summary>Registers Pub on any store.</summary>
    /// <param name="services">The services.</param>
    /// <param name="store">What the store is called and how it is opened.</param>
    /// <param name="configure">Settings; they win over the configuration's.</param>
    /// <exception cref="ArgumentException">The store's name is not allowed.</exception>
    /// <exception cref="InvalidOperationException">A store of this name (or without a name) is registered already.</exception>
    public static IServiceCollection AddPub(this IServiceCollection services, StoreRegistration store, Action<PubOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(store);
        var path = StoreName.SectionOf(store.Name);
        if (services.Any(service => service.ServiceType == typeof(PubClient) && Equals(service.ServiceKey, store.Name)))
        {
            throw new InvalidOperationException(
                store.Name is null ? "Pub has a store without a name already; give the others names." : $"Pub has a store named '{store.Name}' already.");
        }

        AddPubSettings<PubOptions>(services, store.Name, path, options => options.FindFaults(), configure);
        services.AddKeyedSingleton(store.Name, (provider, _) => MakeClient(provider, store));
        services.AddKeyedSingleton(store.Name, (provider, key) => provider.GetRequiredKeyedService<PubClient>(key).Producer);
        services.AddKeyedSingleton(store.Name, (provider, key) => provider.GetRequiredKeyedService<PubClient>(key).Scheduler);
        services.AddKeyedSingleton(store.Name, (provider, key) => provider.GetRequiredKeyedService<PubClient>(key).Controller);
        services.AddKeyedSingleton(store.Name, (provider, key) => new PubHealth(provider.GetRequiredKeyedService<PubClient>(key)));
        return services;
    }

    /// <summary>Registers Pub on a store in memory, which is gone with the process: for tests and for trying things out.</summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Settings; they win over the configuration's.</param>
    /// <exception cref="InvalidOperationException">A store without a name is registered already.</exception>
    public static IServiceCollection AddPubInMemory(this IServiceCollection services, Action<PubOptions>? configure = null) =>
        services.AddPub(InMemory(null), configure);

    /// <summary>Registers Pub on a named store in memory, which is gone with the process.</summary>
    /// <param name="services">The services.</param>
    /// <param name="name">The store's name: the key of its services, and its part of the configuration.</param>
    /// <param name="configure">Settings; they win over the configuration's.</param>
    /// <exception cref="ArgumentException">The name is not allowed.</exception>
    /// <exception cref="InvalidOperationException">A store of this name is registered already.</exception>
    public static IServiceCollection AddPubInMemory(this IServiceCollection services, string name, Action<PubOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        return services.AddPub(InMemory(name), configure);
    }

    /// <summary>Options that are read from a section, set in code, and checked at start.</summary>
    internal static void AddPubSettings<TOptions>(
        IServiceCollection services, string? name, string path, Func<TOptions, string?> findFaults, Action<TOptions>? configure)
        where TOptions : class, new()
    {
        var optionsName = name ?? Options.Options.DefaultName;
        services.AddSingleton<IConfigureOptions<TOptions>>(Section);
        services.AddSingleton<IValidateOptions<TOptions>>(Section);
        var builder = services.AddOptions<TOptions>(optionsName).ValidateOnStart();
        if (configure is not null)
        {
            builder.Configure(configure);
        }

        SettingsSection<TOptions> Section(IServiceProvider provider) => new(optionsName, path, provider.GetService<IConfiguration>(), findFaults);
    }

    private static StoreRegistration InMemory(string? name) => new()
    {
        Name = name,
        MaxDocumentBytes = MemoryStoreOptions.DefaultMaxDocumentBytes,
        OpenAsync = static (provider, _) => new(new MemoryDocumentStore(provider.GetService<TimeProvider>())),
    };

    private static PubClient MakeClient(IServiceProvider provider, StoreRegistration registration)
    {
        var options = provider.GetRequiredService<IOptionsMonitor<PubOptions>>().Get(registration.Name ?? Options.Options.DefaultName);
        var store = new DeferredStore(registration.MaxDocumentBytes, cancellation => registration.OpenAsync(provider, cancellation));
        return new PubClient(
            store, options, new PubRuntime(provider.GetService<TimeProvider>()), provider.GetService<ILoggerFactory>(), ownsStore: true);
    }
}

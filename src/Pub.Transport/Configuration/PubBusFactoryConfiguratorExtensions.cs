using MassTransit.PubTransport.Configuration;

namespace MassTransit;

/// <summary>Selects Pub as the transport of a bus.</summary>
public static class PubBusFactoryConfiguratorExtensions
{
    /// <summary>
    /// Uses Pub as the transport of the bus. The store is registered beside it, with <c>AddPubInMemory()</c>, <c>AddPubSqlite("file")</c> or another
    /// store's method; <see cref="PubTransportOptions"/> say which, where there are several.
    /// </summary>
    public static void UsingPub(
        this IBusRegistrationConfigurator configurator, Action<IBusRegistrationContext, IPubBusFactoryConfigurator>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(configurator);
        configurator.SetBusFactory(new PubRegistrationBusFactory(configure));
    }

    /// <summary>Makes a bus on Pub outside of dependency injection; <c>cfg.Host(client)</c> names the store.</summary>
    public static IBusControl CreateUsingPub(this IBusFactorySelector selector, Action<IPubBusFactoryConfigurator> configure)
    {
        ArgumentNullException.ThrowIfNull(selector);
        return PubBusFactory.Create(configure);
    }
}

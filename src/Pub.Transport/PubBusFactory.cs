using MassTransit.Configuration;
using MassTransit.PubTransport.Configuration;
using MassTransit.PubTransport.Topology;
using MassTransit.Topology;

namespace MassTransit;

/// <summary>Makes buses on Pub outside of dependency injection.</summary>
public static class PubBusFactory
{
    private static readonly MessageNameFormatterEntityNameFormatter EntityNameFormatter = new(new PubMessageNameFormatter());

    /// <summary>Makes a bus; <c>cfg.Host(client)</c> names the store.</summary>
    /// <exception cref="ConfigurationException">A setting cannot be used; the message names each.</exception>
    public static IBusControl Create(Action<IPubBusFactoryConfigurator> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        var busConfiguration = new PubBusConfiguration(new PubTopologyConfiguration(CreateMessageTopology()));
        var configurator = new PubBusFactoryConfigurator(busConfiguration);
        configure(configurator);
        return configurator.Build(busConfiguration);
    }

    /// <summary>The names of topics: <c>Namespace:Type</c>.</summary>
    public static IMessageTopologyConfigurator CreateMessageTopology() => new MessageTopology(EntityNameFormatter);
}

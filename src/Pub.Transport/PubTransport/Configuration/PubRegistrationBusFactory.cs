using MassTransit.Configuration;
using MassTransit.Transports;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Pub;

namespace MassTransit.PubTransport.Configuration;

/// <summary>Makes the bus of <c>UsingPub</c>.</summary>
internal sealed class PubRegistrationBusFactory : TransportRegistrationBusFactory<IPubReceiveEndpointConfigurator>
{
    private readonly PubBusConfiguration _busConfiguration;
    private readonly Action<IBusRegistrationContext, IPubBusFactoryConfigurator>? _configure;

    public PubRegistrationBusFactory(Action<IBusRegistrationContext, IPubBusFactoryConfigurator>? configure)
        : this(new PubBusConfiguration(new PubTopologyConfiguration(PubBusFactory.CreateMessageTopology())), configure)
    {
    }

    private PubRegistrationBusFactory(PubBusConfiguration busConfiguration, Action<IBusRegistrationContext, IPubBusFactoryConfigurator>? configure)
        : base(busConfiguration.HostConfiguration)
    {
        _busConfiguration = busConfiguration;
        _configure = configure;
    }

    public override IBusInstance CreateBus(IBusRegistrationContext context, IEnumerable<IBusInstanceSpecification> specifications, string busName)
    {
        var settings = _busConfiguration.HostConfiguration.Settings;
        var options = context.GetRequiredService<IOptionsMonitor<PubTransportOptions>>().Get(busName);
        settings.Store = options.Store;
        settings.Name = options.Name;
        settings.VirtualHost = options.VirtualHost;
        var services = context.GetRequiredService<IServiceProvider>();
        settings.Resolve = store => store is null ? services.GetService<PubClient>() : services.GetKeyedService<PubClient>(store);
        return CreateBus(new PubBusFactoryConfigurator(_busConfiguration), context, _configure, specifications);
    }
}

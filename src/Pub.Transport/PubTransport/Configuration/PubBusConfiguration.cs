using MassTransit.Configuration;
using MassTransit.Observables;

namespace MassTransit.PubTransport.Configuration;

internal interface IPubBusConfiguration : IBusConfiguration
{
    new PubHostConfiguration HostConfiguration { get; }

    new IPubEndpointConfiguration BusEndpointConfiguration { get; }

    new IPubTopologyConfiguration Topology { get; }

    IPubEndpointConfiguration CreateEndpointConfiguration(bool isBusEndpoint = false);
}

internal sealed class PubBusConfiguration :
    PubEndpointConfiguration,
    IPubBusConfiguration
{
    private readonly BusObservable _busObservers = new();

    public PubBusConfiguration(IPubTopologyConfiguration topologyConfiguration)
        : base(topologyConfiguration)
    {
        HostConfiguration = new PubHostConfiguration(this, topologyConfiguration);
        BusEndpointConfiguration = CreateEndpointConfiguration(isBusEndpoint: true);
    }

    public PubHostConfiguration HostConfiguration { get; }

    public IPubEndpointConfiguration BusEndpointConfiguration { get; }

    IHostConfiguration IBusConfiguration.HostConfiguration => HostConfiguration;

    IEndpointConfiguration IBusConfiguration.BusEndpointConfiguration => BusEndpointConfiguration;

    IBusObserver IBusConfiguration.BusObservers => _busObservers;

    public ConnectHandle ConnectBusObserver(IBusObserver observer) => _busObservers.Connect(observer);

    public ConnectHandle ConnectEndpointConfigurationObserver(IEndpointConfigurationObserver observer) =>
        HostConfiguration.ConnectEndpointConfigurationObserver(observer);
}

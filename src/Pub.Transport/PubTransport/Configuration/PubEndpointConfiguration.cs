using MassTransit.Configuration;

namespace MassTransit.PubTransport.Configuration;

internal interface IPubEndpointConfiguration : IEndpointConfiguration
{
    new IPubTopologyConfiguration Topology { get; }
}

/// <summary>Pipes, serialization and topology of the bus or of one endpoint.</summary>
internal class PubEndpointConfiguration :
    EndpointConfiguration,
    IPubEndpointConfiguration
{
    private readonly IPubTopologyConfiguration _topologyConfiguration;

    protected PubEndpointConfiguration(IPubTopologyConfiguration topologyConfiguration)
        : base(topologyConfiguration) => _topologyConfiguration = topologyConfiguration;

    private PubEndpointConfiguration(IEndpointConfiguration parent, IPubTopologyConfiguration topologyConfiguration, bool isBusEndpoint)
        : base(parent, topologyConfiguration, isBusEndpoint) => _topologyConfiguration = topologyConfiguration;

    public new IPubTopologyConfiguration Topology => _topologyConfiguration;

    /// <summary>An endpoint's configuration, which begins with what the bus has.</summary>
    public IPubEndpointConfiguration CreateEndpointConfiguration(bool isBusEndpoint = false) =>
        new PubEndpointConfiguration(this, new PubTopologyConfiguration(_topologyConfiguration), isBusEndpoint);
}

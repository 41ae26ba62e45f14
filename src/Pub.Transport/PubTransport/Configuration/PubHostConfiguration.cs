using MassTransit.Configuration;
using MassTransit.PubTransport.Topology;
using MassTransit.Transports;

namespace MassTransit.PubTransport.Configuration;

/// <summary>The host of a bus: which store it uses, its endpoints, and when what failed is tried again.</summary>
internal sealed class PubHostConfiguration : BaseHostConfiguration<PubReceiveEndpointConfiguration, IPubReceiveEndpointConfigurator>
{
    private readonly IPubBusConfiguration _busConfiguration;

    public PubHostConfiguration(IPubBusConfiguration busConfiguration, IPubTopologyConfiguration topologyConfiguration)
        : base(busConfiguration)
    {
        _busConfiguration = busConfiguration;
        TopologyConfiguration = topologyConfiguration;
        Topology = new PubBusTopology(this, topologyConfiguration);

        // Only what PubExceptions made a ConnectionException of, and only while the store can come back (facts, 1.4, 3).
        ReceiveTransportRetryPolicy = Retry.CreatePolicy(retry =>
        {
            retry.Handle<ConnectionException>(exception => exception.IsTransient);
            retry.Exponential(1000, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(1));
        });
    }

    public PubHostSettings Settings { get; } = new();

    public StoreHealth StoreHealth => Settings.Health;

    public IPubTopologyConfiguration TopologyConfiguration { get; }

    public override Uri HostAddress => Settings.Address;

    public override IBusTopology Topology { get; }

    public override IRetryPolicy ReceiveTransportRetryPolicy { get; }

    public static void ApplyDefinition(PubHostConfiguration host, IPubReceiveEndpointConfigurator configurator, IEndpointDefinition definition)
    {
        if (definition.IsTemporary)
        {
            configurator.IsTemporary = true;
        }

        host.ApplyEndpointDefinition(configurator, definition);
    }

    public PubReceiveEndpointConfiguration CreateReceiveEndpointConfiguration(string queueName, Action<IPubReceiveEndpointConfigurator>? configure) =>
        CreateReceiveEndpointConfiguration(new PubReceiveSettings(queueName), _busConfiguration.CreateEndpointConfiguration(), configure);

    public PubReceiveEndpointConfiguration CreateReceiveEndpointConfiguration(
        PubReceiveSettings settings, IPubEndpointConfiguration endpointConfiguration, Action<IPubReceiveEndpointConfigurator>? configure)
    {
        var configuration = new PubReceiveEndpointConfiguration(this, settings, endpointConfiguration);
        configure?.Invoke(configuration);
        Observers.EndpointConfigured(configuration);
        Add(configuration);
        return configuration;
    }

    public override IReceiveEndpointConfiguration CreateReceiveEndpointConfiguration(string queueName, Action<IReceiveEndpointConfigurator>? configure) =>
        CreateReceiveEndpointConfiguration(queueName, (Action<IPubReceiveEndpointConfigurator>?)configure);

    public override void ReceiveEndpoint(
        IEndpointDefinition definition, IEndpointNameFormatter? endpointNameFormatter, Action<IPubReceiveEndpointConfigurator>? configureEndpoint = null) =>
        ReceiveEndpoint(definition.GetEndpointName(endpointNameFormatter ?? DefaultEndpointNameFormatter.Instance), configurator =>
        {
            ApplyDefinition(this, configurator, definition);
            configureEndpoint?.Invoke(configurator);
        });

    public override void ReceiveEndpoint(string queueName, Action<IPubReceiveEndpointConfigurator> configureEndpoint) =>
        CreateReceiveEndpointConfiguration(queueName, configureEndpoint);

    public override IHost Build()
    {
        var host = new PubHost(this, Topology);
        foreach (var endpoint in GetConfiguredEndpoints())
        {
            endpoint.Build(host);
        }

        return host;
    }
}

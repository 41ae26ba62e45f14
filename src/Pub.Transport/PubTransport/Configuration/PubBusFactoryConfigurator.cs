using MassTransit.Configuration;
using Pub;

namespace MassTransit.PubTransport.Configuration;

internal sealed class PubBusFactoryConfigurator :
    BusFactoryConfigurator,
    IPubBusFactoryConfigurator,
    IBusFactory
{
    private readonly IPubBusConfiguration _busConfiguration;
    private readonly PubHostConfiguration _hostConfiguration;
    private readonly PubReceiveSettings _settings;

    public PubBusFactoryConfigurator(IPubBusConfiguration busConfiguration)
        : base(busConfiguration)
    {
        _busConfiguration = busConfiguration;
        _hostConfiguration = busConfiguration.HostConfiguration;
        _settings = new PubReceiveSettings(busConfiguration.Topology.Consume.CreateTemporaryQueueName("bus")) { IsTemporary = true };
    }

    public IReceiveEndpointConfiguration CreateBusEndpointConfiguration(Action<IReceiveEndpointConfigurator> configure) =>
        _hostConfiguration.CreateReceiveEndpointConfiguration(_settings, _busConfiguration.BusEndpointConfiguration, configure);

    public override IEnumerable<ValidationResult> Validate()
    {
        foreach (var result in base.Validate())
        {
            yield return result;
        }

        if (_hostConfiguration.Settings.FindFault() is { } fault)
        {
            yield return this.Failure("Host", fault);
        }
    }

    public void Host(Action<IPubHostConfigurator> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        configure(_hostConfiguration.Settings);
    }

    public void Host(PubClient client) => _hostConfiguration.Settings.Client = client;

    public void OverrideDefaultBusEndpointQueueName(string queueName) => _settings.QueueName = queueName;

    public void ReceiveEndpoint(
        IEndpointDefinition definition, IEndpointNameFormatter? endpointNameFormatter, Action<IPubReceiveEndpointConfigurator>? configureEndpoint = null) =>
        _hostConfiguration.ReceiveEndpoint(definition, endpointNameFormatter, configureEndpoint);

    public void ReceiveEndpoint(
        IEndpointDefinition definition, IEndpointNameFormatter? endpointNameFormatter, Action<IReceiveEndpointConfigurator>? configureEndpoint = null) =>
        _hostConfiguration.ReceiveEndpoint(definition, endpointNameFormatter, configureEndpoint);

    public void ReceiveEndpoint(string queueName, Action<IPubReceiveEndpointConfigurator> configureEndpoint) =>
        _hostConfiguration.ReceiveEndpoint(queueName, configureEndpoint);

    public void ReceiveEndpoint(string queueName, Action<IReceiveEndpointConfigurator> configureEndpoint) =>
        _hostConfiguration.ReceiveEndpoint(queueName, configureEndpoint);
}

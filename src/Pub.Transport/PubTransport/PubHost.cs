using MassTransit.PubTransport.Configuration;
using MassTransit.Transports;

namespace MassTransit.PubTransport;

internal sealed class PubHost :
    BaseHost,
    IHost<IPubReceiveEndpointConfigurator>
{
    private readonly PubHostConfiguration _hostConfiguration;

    public PubHost(PubHostConfiguration hostConfiguration, IBusTopology busTopology)
        : base(hostConfiguration, busTopology) => _hostConfiguration = hostConfiguration;

    public override HostReceiveEndpointHandle ConnectReceiveEndpoint(
        IEndpointDefinition definition, IEndpointNameFormatter? endpointNameFormatter, Action<IReceiveEndpointConfigurator>? configureEndpoint = null) =>
        ConnectReceiveEndpoint(definition, endpointNameFormatter, (Action<IPubReceiveEndpointConfigurator>?)configureEndpoint);

    public HostReceiveEndpointHandle ConnectReceiveEndpoint(
        IEndpointDefinition definition, IEndpointNameFormatter? endpointNameFormatter = null, Action<IPubReceiveEndpointConfigurator>? configureEndpoint = null) =>
        ConnectReceiveEndpoint(definition.GetEndpointName(endpointNameFormatter ?? DefaultEndpointNameFormatter.Instance), configurator =>
        {
            PubHostConfiguration.ApplyDefinition(_hostConfiguration, configurator, definition);
            configureEndpoint?.Invoke(configurator);
        });

    public override HostReceiveEndpointHandle ConnectReceiveEndpoint(string queueName, Action<IReceiveEndpointConfigurator>? configureEndpoint = null) =>
        ConnectReceiveEndpoint(queueName, (Action<IPubReceiveEndpointConfigurator>?)configureEndpoint);

    public HostReceiveEndpointHandle ConnectReceiveEndpoint(string queueName, Action<IPubReceiveEndpointConfigurator>? configureEndpoint = null)
    {
        LogContext.SetCurrentIfNull(_hostConfiguration.LogContext);
        var configuration = _hostConfiguration.CreateReceiveEndpointConfiguration(queueName, configureEndpoint);
        TransportLogMessages.ConnectReceiveEndpoint(configuration.InputAddress);
        configuration.Validate().ThrowIfContainsFailure("The receive endpoint configuration is invalid:");
        configuration.Build(this);
        return ReceiveEndpoints.Start(queueName);
    }

    protected override void Probe(ProbeContext context)
    {
        context.Add("type", "Pub");
        context.Add("hostAddress", _hostConfiguration.HostAddress);
    }
}

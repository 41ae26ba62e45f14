using MassTransit.Configuration;
using MassTransit.PubTransport.Topology;
using MassTransit.Transports;

namespace MassTransit.PubTransport.Configuration;

/// <summary>Gathers what an endpoint consumes, and with it the topics it reads.</summary>
internal sealed class PubReceiveEndpointBuilder : ReceiveEndpointBuilder
{
    private readonly PubReceiveEndpointConfiguration _configuration;
    private readonly PubHostConfiguration _hostConfiguration;

    public PubReceiveEndpointBuilder(PubHostConfiguration hostConfiguration, PubReceiveEndpointConfiguration configuration)
        : base(configuration)
    {
        _hostConfiguration = hostConfiguration;
        _configuration = configuration;
    }

    public override ConnectHandle ConnectConsumePipe<T>(IPipe<ConsumeContext<T>> pipe, ConnectPipeOptions options)
    {
        if (_configuration.ConfigureConsumeTopology && options.HasFlag(ConnectPipeOptions.ConfigureConsumeTopology))
        {
            var topology = _configuration.Topology.Consume.GetMessageTopology<T>();
            if (topology.ConfigureConsumeTopology)
            {
                topology.Subscribe();
            }
        }

        return base.ConnectConsumePipe(pipe, options);
    }

    public PubReceiveEndpointContext CreateReceiveEndpointContext()
    {
        var context = new PubReceiveEndpointContext(_hostConfiguration, _configuration);
        var send = ((IPubEndpointConfiguration)_configuration).Topology.Send;
        var virtualHost = _hostConfiguration.Settings.Address.VirtualHost;
        var queue = _configuration.Settings.QueueName;
        var errorQueue = EntityNames.Queue(virtualHost, send.ErrorQueueNameFormatter.FormatErrorQueueName(queue));
        var skippedQueue = EntityNames.Queue(virtualHost, send.DeadLetterQueueNameFormatter.FormatDeadLetterQueueName(queue));
        context.ErrorQueue = errorQueue;
        context.GetOrAddPayload<IErrorTransport>(() => new PubErrorTransport(errorQueue));
        context.GetOrAddPayload<IDeadLetterTransport>(() => new PubDeadLetterTransport(skippedQueue));
        context.GetOrAddPayload(() => _hostConfiguration.Topology);
        return context;
    }
}

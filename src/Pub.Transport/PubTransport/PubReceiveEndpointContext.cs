using MassTransit.PubTransport.Configuration;
using MassTransit.PubTransport.Topology;
using MassTransit.Transports;
using MassTransit.Util;
using Pub;

namespace MassTransit.PubTransport;

/// <summary>What belongs to one receive endpoint while it runs.</summary>
internal sealed class PubReceiveEndpointContext : BaseReceiveEndpointContext
{
    private readonly Recycle<ClientContextSupervisor> _supervisor;
    private readonly PubReceiveEndpointConfiguration _configuration;

    public PubReceiveEndpointContext(PubHostConfiguration hostConfiguration, PubReceiveEndpointConfiguration configuration)
        : base(hostConfiguration, configuration)
    {
        Host = hostConfiguration;
        _configuration = configuration;
        Subscription = EntityNames.Subscription(hostConfiguration.Settings.Address.VirtualHost, configuration.Settings.QueueName);
        _supervisor = new Recycle<ClientContextSupervisor>(() => new ClientContextSupervisor(hostConfiguration.Settings));
    }

    public PubHostConfiguration Host { get; }

    public SubscriptionName Subscription { get; }

    /// <summary>Takes what failed, and what was delivered too often.</summary>
    public TopicName ErrorQueue { get; set; }

    public PubReceiveSettings Settings => _configuration.Settings;

    public ClientContextSupervisor ClientContextSupervisor => _supervisor.Supervisor;

    public void Apply(ConsumerOptions options)
    {
        ConsumerSetup.Apply(options, Settings, PrefetchCount, ConcurrentMessageLimit, StopTimeout);
        options.DeadLetterQueue = ErrorQueue.Name;
        foreach (var (topic, start) in _configuration.Topology.Consume.Topics)
        {
            options.Read(EntityNames.Topic(Host.Settings.Address.VirtualHost, topic), start ?? Settings.Start);
        }
    }

    public override void AddSendAgent(IAgent agent) => _supervisor.Supervisor.AddSendAgent(agent);

    public override void AddConsumeAgent(IAgent agent) => _supervisor.Supervisor.AddConsumeAgent(agent);

    public override Exception ConvertException(Exception exception, string message) => PubExceptions.Convert(exception, message + InputAddress + ": ");

    public override void Probe(ProbeContext context)
    {
        context.Add("type", "Pub");
        context.Set(new
        {
            Settings.QueueName,
            Settings.IsTemporary,
            PrefetchCount,
            ConcurrentMessageLimit,
            Settings.PrefetchBytes,
            Settings.MaxDeliveryCount,
            Topics = _configuration.Topology.Consume.Topics.Select(topic => topic.Topic).ToArray(),
        });
    }

    protected override ISendTransportProvider CreateSendTransportProvider() => new PubSendTransportProvider(this);

    protected override IPublishTransportProvider CreatePublishTransportProvider() => new PubPublishTransportProvider(this);
}

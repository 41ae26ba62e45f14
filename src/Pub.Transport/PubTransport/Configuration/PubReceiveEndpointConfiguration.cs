using MassTransit.Configuration;
using MassTransit.Middleware;
using MassTransit.PubTransport.Middleware;
using MassTransit.PubTransport.Topology;
using MassTransit.Transports;
using Pub;

namespace MassTransit.PubTransport.Configuration;

/// <summary>One receive endpoint: what was configured, and how it is put together.</summary>
internal sealed class PubReceiveEndpointConfiguration :
    ReceiveEndpointConfiguration,
    IPubEndpointConfiguration,
    IPubReceiveEndpointConfigurator
{
    private readonly IPubEndpointConfiguration _endpointConfiguration;
    private readonly PubHostConfiguration _hostConfiguration;
    private readonly Lazy<Uri> _inputAddress;

    public PubReceiveEndpointConfiguration(PubHostConfiguration hostConfiguration, PubReceiveSettings settings, IPubEndpointConfiguration endpointConfiguration)
        : base(hostConfiguration, endpointConfiguration)
    {
        _hostConfiguration = hostConfiguration;
        _endpointConfiguration = endpointConfiguration;
        Settings = settings;
        _inputAddress = new Lazy<Uri>(() => new PubEndpointAddress(HostAddress, Settings.QueueName, isTemporary: Settings.IsTemporary));
    }

    public PubReceiveSettings Settings { get; }

    public new IPubTopologyConfiguration Topology => _endpointConfiguration.Topology;

    public override Uri HostAddress => _hostConfiguration.HostAddress;

    public override Uri InputAddress => _inputAddress.Value;

    public bool IsTemporary
    {
        set
        {
            Settings.IsTemporary = value;
            Changed(nameof(IsTemporary));
        }
    }

    public long PrefetchBytes
    {
        set => Settings.PrefetchBytes = value;
    }

    public int MaxDeliveryCount
    {
        set => Settings.MaxDeliveryCount = value;
    }

    public TimeSpan UnlockDelay
    {
        set => Settings.UnlockDelay = value;
    }

    public bool DeadLetterExpiredMessages
    {
        set => Settings.DeadLetterExpiredMessages = value;
    }

    public bool PurgeOnStartup
    {
        set => Settings.PurgeOnStartup = value;
    }

    public bool DispatchKeyRuns
    {
        set => Settings.DispatchKeyRuns = value;
    }

    public void StartFrom(StartAt start) => Settings.Start = start;

    public void Subscribe<T>(StartAt start = default)
        where T : class => Topology.Consume.GetMessageTopology<T>().Subscribe(start);

    public void Subscribe(string topicName, StartAt start = default) => Topology.Consume.Subscribe(topicName, start);

    public override ReceiveEndpointContext CreateReceiveEndpointContext() => CreatePubReceiveEndpointContext();

    public void Build(IHost host)
    {
        var context = CreatePubReceiveEndpointContext();
        var configurator = new PipeConfigurator<ClientContext>();
        if (_hostConfiguration.DeployTopologyOnly)
        {
            configurator.UseFilter(new DeclareSubscriptionFilter(context));
            configurator.UseFilter(new TransportReadyFilter<ClientContext>(context));
        }
        else
        {
            configurator.UseFilter(new ReceiveEndpointDependencyFilter<ClientContext>(context));
            configurator.UseFilter(new PubConsumerFilter(context));
        }

        var transport = new ReceiveTransport<ClientContext>(_hostConfiguration, context, () => context.ClientContextSupervisor, configurator.Build());
        if (IsBusEndpoint && _hostConfiguration.DeployPublishTopology)
        {
            transport.PreStartPipe = new DeployPublishTopologyFilter(context).ToPipe();
        }

        var receiveEndpoint = new ReceiveEndpoint(transport, context);
        host.AddReceiveEndpoint(Settings.QueueName, receiveEndpoint);
        ReceiveEndpoint = receiveEndpoint;
    }

    public override IEnumerable<ValidationResult> Validate()
    {
        if (FindFault() is { } fault)
        {
            yield return this.Failure(Settings.QueueName, fault);
        }

        if (Settings.PurgeOnStartup)
        {
            yield return this.Warning(Settings.QueueName, "Messages that wait for the endpoint are settled unread when it starts");
        }

        foreach (var result in base.Validate())
        {
            yield return result.WithParentKey(Settings.QueueName);
        }
    }

    protected override bool IsAlreadyConfigured() => _inputAddress.IsValueCreated || base.IsAlreadyConfigured();

    private string? FindFault()
    {
        try
        {
            _ = EntityNames.Queue(_hostConfiguration.Settings.Address.VirtualHost, Settings.QueueName);
            var options = new ConsumerOptions();
            ConsumerSetup.Apply(options, Settings, PrefetchCount, ConcurrentMessageLimit, stopTimeout: null);
            return options.FindFaults();
        }
        catch (ArgumentException e)
        {
            return e.Message;
        }
    }

    private PubReceiveEndpointContext CreatePubReceiveEndpointContext()
    {
        var builder = new PubReceiveEndpointBuilder(_hostConfiguration, this);
        ApplySpecifications(builder);
        return builder.CreateReceiveEndpointContext();
    }
}

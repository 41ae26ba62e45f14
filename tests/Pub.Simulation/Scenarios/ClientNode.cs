using System.Text;
using Pub.Simulation.Kernel;
using Pub.Simulation.Store;

namespace Pub.Simulation.Scenarios;

/// <summary>A process with the whole core, and what its handlers got.</summary>
internal sealed class ClientNode
{
    private readonly Scenario _scenario;

    public ClientNode(Scenario scenario, string name)
    {
        _scenario = scenario;
        Node = scenario.World.NewNode(name);
        Client = new PubClient(Node.Store, new PubOptions { Trimming = new RetentionOptions { TrimInterval = TimeSpan.FromSeconds(1) } }, Node.Runtime);
    }

    public SimNode Node { get; }

    public PubClient Client { get; }

    public NodeStore Store => Node.Store;

    /// <summary>The ids that handlers of this process began, in order.</summary>
    public List<string> Received { get; } = [];

    public Task CreateWideAsync(TopicName topic) => Node.Process.Do(() => Client.Controller.CreateAsync(topic));

    /// <summary>One shard; entries go when settled, or when they are as old as that too.</summary>
    public Task CreateAsync(TopicName topic, TimeSpan? keepFor = null) => Node.Process.Do(() => Client.Controller.CreateAsync(
        topic, new TopicSettings { Shards = 1, Retention = keepFor is null ? Retention.WhenSettled : Retention.WhenSettledAndAfterTime, RetentionTime = keepFor }));

    /// <summary>The handler acknowledges unless it does something else.</summary>
    public Task SubscribeAsync(SubscriptionName name, TopicName topic, Func<Delivery, Task>? handler = null, StartAt start = default, int maxDeliveries = 10, TopicName? second = null) =>
        Node.Process.Do(async () =>
        {
            var consumer = await Client.SubscribeAsync(name, options =>
            {
                options.MaxDeliveries = maxDeliveries;
                options.StopPatience = TimeSpan.FromSeconds(2);
                options.Read(topic, start);
                if (second is { } other)
                {
                    options.Read(other);
                }
            });
            _ = consumer.RunAsync(async (delivery, _) =>
            {
                Received.Add(delivery.Message.Id);
                _scenario.World.Trace.Add(Node.Name, "deliver", $"{delivery.Message.Id} to {name} count {delivery.DeliveryCount}");
                if (handler is not null)
                {
                    await handler(delivery);
                }
            });
        });

    public Task<Outcome> PublishAsync(TopicName topic, string id, string? key = null) => Node.Process.Do(async () =>
    {
        try
        {
            await Client.Producer.PublishAsync(topic, new OutgoingMessage { Id = id, Key = key, Body = Encoding.UTF8.GetBytes("{}") });
            return Outcome.Confirmed;
        }
        catch (OutcomeUnknownException)
        {
            return Outcome.Unknown;
        }
        catch (StoreUnavailableException)
        {
            return Outcome.Failed;
        }
    });

    public Task StopAsync() => Node.Process.Do(() => Client.StopAsync());
}

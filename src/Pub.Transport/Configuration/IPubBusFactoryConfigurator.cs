using Pub;

namespace MassTransit;

/// <summary>Configures a bus on Pub.</summary>
public interface IPubBusFactoryConfigurator :
    IBusFactoryConfigurator<IPubReceiveEndpointConfigurator>
{
    /// <summary>Says which store the bus uses. Not needed for the one store without a name.</summary>
    void Host(Action<IPubHostConfigurator> configure);

    /// <summary>Uses this store, for a bus outside of dependency injection. Its owner disposes of it, after the bus has stopped.</summary>
    void Host(PubClient client);

    /// <summary>Gives the bus's own temporary queue, which takes responses, a name; it must differ between instances.</summary>
    void OverrideDefaultBusEndpointQueueName(string queueName);
}

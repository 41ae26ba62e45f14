using MassTransit.Configuration;
using MassTransit.DependencyInjection;
using MassTransit.PubTransport.Configuration;
using MassTransit.Scheduling;
using MassTransit.Transports;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace MassTransit;

/// <summary>Scheduling with the store itself; no scheduler service is needed.</summary>
public static class PubScheduleMessageExtensions
{
    /// <summary>Consumers and sagas schedule with the store. What is scheduled is durable, and can be cancelled by its token.</summary>
    public static void UsePubMessageScheduler(this IBusFactoryConfigurator configurator)
    {
        ArgumentNullException.ThrowIfNull(configurator);
        configurator.AddPrePipeSpecification(new PubMessageSchedulerSpecification());
    }

    /// <summary>Adds <see cref="IMessageScheduler"/>, which schedules with the store, for code outside of consumers.</summary>
    public static void AddPubMessageScheduler(this IBusRegistrationConfigurator configurator)
    {
        ArgumentNullException.ThrowIfNull(configurator);
        configurator.TryAddScoped(provider => MakeScheduler(
            provider.GetRequiredService<Bind<IBus, IBusInstance>>().Value, provider.GetRequiredService<ISendEndpointProvider>()));
    }

    /// <summary>Adds <c>Bind&lt;TBus, IMessageScheduler&gt;</c>, which schedules with that bus's store, for code outside of consumers.</summary>
    public static void AddPubMessageScheduler<TBus>(this IBusRegistrationConfigurator<TBus> configurator)
        where TBus : class, IBus
    {
        ArgumentNullException.ThrowIfNull(configurator);
        configurator.TryAddScoped(provider =>
        {
            var instance = provider.GetRequiredService<Bind<TBus, IBusInstance>>().Value;
            return Bind<TBus>.Create(MakeScheduler(instance, instance.Bus));
        });
    }

    private static IMessageScheduler MakeScheduler(IBusInstance instance, ISendEndpointProvider sendEndpointProvider)
    {
        var host = instance.HostConfiguration as PubHostConfiguration
            ?? throw new ConfigurationException($"The bus {instance.Name} is not on Pub; its scheduler cannot be Pub's.");
        return new MessageScheduler(new PubScheduleMessageProvider(host.Settings.Client, sendEndpointProvider), instance.Bus.Topology);
    }
}

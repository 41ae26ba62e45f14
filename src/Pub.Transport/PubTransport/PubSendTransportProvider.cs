using MassTransit.PubTransport.Topology;
using MassTransit.Transports;

namespace MassTransit.PubTransport;

internal sealed class PubSendTransportProvider(PubReceiveEndpointContext context) : ISendTransportProvider
{
    public Uri NormalizeAddress(Uri address) => new PubEndpointAddress(context.Host.HostAddress, address);

    public Task<ISendTransport> GetSendTransport(Uri address)
    {
        LogContext.SetCurrentIfNull(context.Host.LogContext);
        var endpoint = new PubEndpointAddress(context.Host.HostAddress, address);
        var own = context.Host.Settings.Address;
        if (endpoint.Store != own.Store)
        {
            throw new PubEndpointAddressException(address, $"The address is of the store '{endpoint.Store}'; this bus is on '{own.Store}'.");
        }

        TransportLogMessages.CreateSendTransport(address);
        var destination = endpoint.IsTopic ? EntityNames.Topic(endpoint.VirtualHost, endpoint.Name) : EntityNames.Queue(endpoint.VirtualHost, endpoint.Name);
        var transport = new SendTransport<ClientContext>(
            new PubSendTransportContext(context, destination, endpoint.Name) { OnlyIfExists = endpoint.IsTemporary });
        context.AddSendAgent(transport);
        return Task.FromResult<ISendTransport>(transport);
    }
}

using MassTransit.Transports;

namespace MassTransit.PubTransport;

/// <summary>The lifetime of one endpoint's use of the store: its consumers stop first, then its send transports.</summary>
internal sealed class ClientContextSupervisor(PubTransport.Configuration.PubHostSettings settings) :
    TransportPipeContextSupervisor<ClientContext>(new ClientContextFactory(settings));

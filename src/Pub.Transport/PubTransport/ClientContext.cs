using MassTransit.Middleware;
using Pub;

namespace MassTransit.PubTransport;

/// <summary>The store, as pipes of a bus carry it.</summary>
internal sealed class ClientContext(PubClient client, CancellationToken cancellationToken) : BasePipeContext(cancellationToken)
{
    public PubClient Client { get; } = client;
}

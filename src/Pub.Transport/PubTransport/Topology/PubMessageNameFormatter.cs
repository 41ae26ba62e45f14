using MassTransit.Transports;

namespace MassTransit.PubTransport.Topology;

/// <summary><c>Namespace:Type</c>, <c>Namespace:Outer-Nested</c>, <c>Namespace:Generic--Other:Type--</c>: characters that names of Pub may have.</summary>
internal sealed class PubMessageNameFormatter : IMessageNameFormatter
{
    private readonly DefaultMessageNameFormatter _formatter = new("::", "--", ":", "-");

    public string GetMessageName(Type type) => _formatter.GetMessageName(type);
}

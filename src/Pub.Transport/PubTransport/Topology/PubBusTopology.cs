using MassTransit.Configuration;
using MassTransit.Transports;

namespace MassTransit.PubTransport.Topology;

internal sealed class PubBusTopology : BusTopology
{
    public PubBusTopology(IHostConfiguration hostConfiguration, ITopologyConfiguration configuration)
        : base(hostConfiguration, configuration)
    {
    }
}

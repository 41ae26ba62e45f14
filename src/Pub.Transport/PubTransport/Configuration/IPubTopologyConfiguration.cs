using MassTransit.Configuration;
using MassTransit.PubTransport.Topology;

namespace MassTransit.PubTransport.Configuration;

internal interface IPubTopologyConfiguration : ITopologyConfiguration
{
    new PubPublishTopology Publish { get; }

    new PubConsumeTopology Consume { get; }
}

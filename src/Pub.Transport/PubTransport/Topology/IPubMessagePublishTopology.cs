namespace MassTransit.PubTransport.Topology;

/// <summary>The publish topology of one message type, as far as Pub needs it.</summary>
internal interface IPubMessagePublishTopology
{
    /// <summary>Names the flows from this type's topic to those of the types it implements. Stops at an excluded type, and so leaves out what is above it.</summary>
    void Apply(PublishFlowBuilder builder);
}

using MassTransit.Configuration;
using MassTransit.PubTransport.Middleware;

namespace MassTransit.PubTransport.Configuration;

internal sealed class PubMessageSchedulerSpecification : IPipeSpecification<ConsumeContext>
{
    public void Apply(IPipeBuilder<ConsumeContext> builder) => builder.AddFilter(new PubMessageSchedulerFilter());

    public IEnumerable<ValidationResult> Validate() => [];
}

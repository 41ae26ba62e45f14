using MassTransit.PubTransport;

namespace Pub.Transport.Tests;

public class ArchitectureTests
{
    [Fact]
    public void References_OfTheTransport_AreCoreAndMassTransit() =>
        Assert.All(
            typeof(PubHost).Assembly.GetReferencedAssemblies(),
            reference => Assert.True(
                reference.Name is "Pub" or "MassTransit" or "MassTransit.Abstractions" or "System.IO.Hashing" || reference.Name!.StartsWith("Microsoft.Extensions.", StringComparison.Ordinal)
                    || File.Exists(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, reference.Name + ".dll")),
                $"{reference.Name} is not allowed"));
}

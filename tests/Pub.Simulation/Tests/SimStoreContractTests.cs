using Pub.Storage;
using Pub.Testing.Storage;

namespace Pub.Simulation.Tests;

/// <summary>The simulated store with all faults off is a store like every other.</summary>
public sealed class SimStoreContractTests : DocumentStoreContract
{
    protected override ValueTask<IDocumentStore> OpenAsync() => new(new RealTimeStore());
}

using Pub.Simulation.Core;

namespace Pub.Simulation.Tests;

public sealed class SimulationTests
{
    [Fact]
    public void Run_SameSeedTwice_LeavesTheSameTrace()
    {
        foreach (var seed in new[] { 1, 2, 3 })
        {
            Assert.Equal(CoreSimulation.Run(seed).TraceHash, CoreSimulation.Run(seed).TraceHash);
        }
    }

    /// <summary>Seeds that failed once, with what they found.</summary>
    [Theory]
    [InlineData(2, "a reader without room for more spun instead of waiting")]
    public void Run_SeedThatFailedOnce_Passes(int seed, string found)
    {
        var run = CoreSimulation.Run(seed);
        Assert.True(run.Failure is null, $"{found}: {run.Report(100)}");
    }
}

using Pub.Leases;

namespace Pub.Tests.Leases;

public sealed class LeaseTimingsTests
{
    [Fact]
    public void Faults_Defaults_None() => Assert.Empty(LeaseTimings.Default.Faults());

    [Theory]
    [InlineData(0, 20, 30, nameof(LeaseTimings.BeatInterval))]
    [InlineData(11, 20, 30, nameof(LeaseTimings.OwnerTimeout))]
    [InlineData(10, 21, 30, nameof(LeaseTimings.SessionTimeout))]
    public void Faults_RelationBroken_NamesTheSetting(int beat, int owner, int session, string setting)
    {
        var timings = new LeaseTimings
        {
            BeatInterval = TimeSpan.FromSeconds(beat),
            OwnerTimeout = TimeSpan.FromSeconds(owner),
            SessionTimeout = TimeSpan.FromSeconds(session),
        };

        Assert.StartsWith(setting, Assert.Single(timings.Faults()), StringComparison.Ordinal);
    }
}

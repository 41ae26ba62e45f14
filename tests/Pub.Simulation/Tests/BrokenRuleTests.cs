namespace Pub.Simulation.Tests;

/// <summary>
/// Rules whose absence random runs find soon (docs/broken-rules.md): a run fails that passes with the rule. The others have scenarios, each an exact interleaving.
/// </summary>
public sealed class BrokenRuleTests
{
    private const int MostSeeds = 100;

    [Theory]
    [InlineData(nameof(BrokenRules.UpsertInsteadOfInsert))]
    [InlineData(nameof(BrokenRules.NoWakeForHoles))]
    [InlineData(nameof(BrokenRules.FloorPastHole))]
    [InlineData(nameof(BrokenRules.NoToken))]
    [InlineData(nameof(BrokenRules.TokenNotRaised))]
    [InlineData(nameof(BrokenRules.RewindBumpsToken))]
    [InlineData(nameof(BrokenRules.SettleBeforeHandled))]
    [InlineData(nameof(BrokenRules.NoKeyOrder))]
    [InlineData(nameof(BrokenRules.NackToTopic))]
    public void Run_RuleLeftOut_IsCaught(string rule)
    {
        var failed = SeedRunner.RunMany(1, MostSeeds, Enum.Parse<BrokenRules>(rule), enough: 1, onFailure: null, out _);
        Assert.True(failed.Count > 0, $"{MostSeeds} seeds did not notice that {rule} is left out.");
    }
}

using Pub.Simulation.Store;

namespace Pub.Simulation.Scenarios;

/// <summary>
/// Instances that come, go, die, pause, are suspended and cut off, on a store that goes wrong: no lease ever has two holders that could know better, no
/// token is used twice, and when the storm is over the shares are fair.
/// </summary>
public sealed class LeaseStorms
{
    [Fact]
    public void Storm_ManySeeds_EndsInFairShares()
    {
        for (var seed = 1; seed <= 40; seed++)
        {
            Scenario.Play(BrokenRules.None, s => new Storm(s, new Random(seed)).RunAsync(), seed).ThrowIfFailed();
        }
    }

    [Theory]
    [InlineData(nameof(BrokenRules.GoOnAfterRelease))]
    [InlineData(nameof(BrokenRules.MonotonicClockOnly))]
    [InlineData(nameof(BrokenRules.OneLookAtSession))]
    [InlineData(nameof(BrokenRules.AssignmentNotDurable))]
    public void Storm_RuleLeftOut_IsCaughtWithinSomeSeeds(string rule)
    {
        var broken = Enum.Parse<BrokenRules>(rule);
        var isCaught = Enumerable.Range(1, 400).Any(seed => Scenario.Play(broken, s => new Storm(s, new Random(seed)).RunAsync(), seed).Failure is not null);

        Assert.True(isCaught, $"Nothing noticed that {rule} is left out.");
    }

    private sealed class Storm(Scenario scenario, Random random)
    {
        private readonly List<LeaseNode> _nodes = [];
        private int _names;

        public async Task RunAsync()
        {
            for (var i = 0; i < 25; i++)
            {
                await HappenAsync();
                await scenario.Delay(random.NextDouble() * random.NextDouble() * 40);
            }

            scenario.Cluster.Faults = StoreFaults.None;
            foreach (var node in _nodes)
            {
                Heal(node);
            }

            while (_nodes.Count < 2)
            {
                Add();
            }

            await scenario.Until(IsFair, 150);
        }

        private async Task HappenAsync()
        {
            if (_nodes.Count == 0 || (_nodes.Count < 5 && random.Next(3) == 0))
            {
                Add();
                return;
            }

            var node = _nodes[random.Next(_nodes.Count)];
            switch (random.Next(9))
            {
                case 0:
                    node.Process.Kill();
                    _nodes.Remove(node);
                    break;
                case 1:
                    await LeaveAsync(node);
                    break;
                case 2 or 3:
                    node.Process.Stop(suspend: random.Next(2) == 0);
                    break;
                case 4:
                    node.Store.IsCutOff = true;
                    break;
                case 5:
                    scenario.Cluster.FailOverRandomGroup(TimeSpan.FromSeconds(15));
                    break;
                case 6:
                    node.Busy.UnionWith(Enumerable.Range(0, 16).Where(_ => random.Next(2) == 0));
                    break;
                case 7:
                    scenario.Cluster.Faults = RandomFaults();
                    break;
                default:
                    Heal(node);
                    break;
            }
        }

        private void Add()
        {
            var node = scenario.NewLeaseNodeAsync($"n{++_names}", starts: false).Result;
            _nodes.Add(node);
            _ = node.StartAsync();
        }

        private async Task LeaveAsync(LeaseNode node)
        {
            Heal(node);
            _nodes.Remove(node);
            var stop = node.StopAsync(random.Next(8));
            await Task.WhenAny(stop, scenario.Delay(60));
            scenario.Check(stop.IsCompleted, "A stop did not end within a minute.");
        }

        private static void Heal(LeaseNode node)
        {
            node.Store.IsCutOff = false;
            node.Busy.Clear();
            node.GoOn();
        }

        private StoreFaults RandomFaults() => random.Next(2) == 0 ? StoreFaults.None : StoreFaults.None with
        {
            Slow = 0.1,
            Unavailable = random.NextDouble() * 0.3,
            UnknownApplied = random.NextDouble() * 0.1,
            UnknownNotApplied = random.NextDouble() * 0.1,
            UnknownAppliedLater = random.NextDouble() * 0.1,
        };

        private bool IsFair()
        {
            var counts = _nodes.Select(n => n.Held.Count).ToArray();
            return counts.Sum() == 16 && counts.Max() - counts.Min() <= 1;
        }
    }
}

using EndToEnd;
using Pub.Sqlite;
using Pub.Storage.Memory;

namespace Pub.Product.Tests.EndToEnd;

public sealed class EndToEndRunTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task RunAsync_TwoRounds_EveryEventArrivesOnce()
    {
        await using var pub = PubClient.Create(new MemoryDocumentStore(), ownsStore: true);
        var run = await RunAsync(pub, 300, 2);
        Assert.Equal((600, 600, 0, 0, 0), (run.Tally.Confirmed, run.Tally.Received, run.Tally.Duplicates, run.Tally.Foreign, run.Tally.Lag));
        Assert.Equal(600, run.Tally.Latencies().Length);
    }

    [Fact]
    public async Task RunAsync_SameFileAgainAndTwiceAtOnce_EachSeesAllItsEvents()
    {
        var file = new SqliteStoreOptions { Path = _directory.File("pub.db") };
        await using (var pub = PubClient.Create(await SqliteDocumentStore.OpenAsync(file, cancellationToken: Token), ownsStore: true))
        {
            var run = await RunAsync(pub, 100, 1);
            Assert.Equal((100, 0), (run.Tally.Received, run.Tally.Foreign));
        }

        await using var one = PubClient.Create(await SqliteDocumentStore.OpenAsync(file, cancellationToken: Token), ownsStore: true);
        await using var other = PubClient.Create(await SqliteDocumentStore.OpenAsync(file, cancellationToken: Token), ownsStore: true);
        Assert.All(await Task.WhenAll(RunAsync(one, 200, 1), RunAsync(other, 200, 1)), run => Assert.Equal((200, 0), (run.Tally.Received, run.Tally.Duplicates)));
    }

    [Fact]
    public async Task RunAsync_Ended_LeavesNoSubscription()
    {
        await using var pub = PubClient.Create(new MemoryDocumentStore(), ownsStore: true);
        await RunAsync(pub, 10, 1);
        Assert.Empty((await pub.Controller.ListSubscriptionsAsync(cancellationToken: Token)).Items);
    }

    private static async Task<EndToEndRun> RunAsync(PubClient pub, int events, int rounds)
    {
        Dictionary<string, string> values = new() { ["EVENT_COUNT"] = events.ToString(), ["PUBLISH_ROUNDS"] = rounds.ToString(), ["CONSUMER_MAX_EMPTY_COUNT"] = "1" };
        var run = new EndToEndRun(pub, Settings.Read(values.GetValueOrDefault, out _)!);
        await run.RunAsync(Token);
        return run;
    }
}

using Microsoft.Extensions.Time.Testing;
using Pub.Storage;
using Pub.Storage.Memory;
using Pub.Subscriptions;
using Pub.Topics;

namespace Pub.Tests.Topology;

/// <summary>A memory store with virtual time, and as many processes on it as a test wants.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    private readonly List<TestProcess> _processes = [];

    public TestCluster()
    {
        Store = new MemoryDocumentStore(Time);
        Main = Start();
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public MemoryDocumentStore Store { get; }

    /// <summary>The process of tests that need only one.</summary>
    public TestProcess Main { get; }

    public static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public TestProcess Start(IDocumentStore? store = null, BrokenRules broken = BrokenRules.None)
    {
        var process = new TestProcess(store ?? Store, new PubRuntime(Time, seed: _processes.Count + 1) { Broken = broken });
        _processes.Add(process);
        return process;
    }

    /// <summary>Runs the work once for every number of writes after which its process can die, and checks what is left each time in a new cluster.</summary>
    public static async Task ForEveryCrashAsync(
        Func<TestCluster, Task> prepare, Func<TestProcess, Task> work, Func<TestCluster, Task> repeatAndCheck)
    {
        foreach (var lastHappens in new[] { false, true })
        {
            for (var writes = 0; ; writes++)
            {
                await using var cluster = new TestCluster();
                await prepare(cluster);
                var store = new StoppingStore(cluster.Store, writes, lastHappens);
                try
                {
                    await work(cluster.Start(store));
                }
                catch (Exception) when (store.IsDead)
                {
                    // However its death shows.
                }

                await repeatAndCheck(cluster);
                if (!store.IsDead)
                {
                    Assert.True(writes > 1, "The work wrote nothing.");
                    break;
                }
            }
        }
    }

    /// <summary>Writes what a lease's holder would have written.</summary>
    public async Task WriteFloorAsync(SubscriptionName name, ShardId shard, Position floor)
    {
        var view = await Main.Registry.FindAsync(name, Cancellation) ?? throw new InvalidOperationException($"There is no {name}.");
        var key = DocumentKeys.Cursor(name, view.Incarnation, shard.Number % view.LeaseCount);
        var stored = await Store.GetAsync(key, Cancellation);
        var cursor = CursorDocument.Read(key, stored).With(ShardCursor.At(shard, floor));
        var result = stored.Exists ? await Store.ReplaceAsync(key, cursor.Write(), stored.Cas) : await Store.InsertAsync(key, cursor.Write());
        Assert.True(result.IsApplied);
    }

    public async Task<ShardState> StateAsync(ShardId shard) =>
        (await Main.Directory.RefreshAsync(shard.Topic, Cancellation) ?? throw new InvalidOperationException($"There is no {shard.Topic}."))[shard.Number];

    public async Task<bool> HasEntryAsync(ShardId shard, long offset) => (await Store.GetAsync(DocumentKeys.Entry(shard, new Offset(offset)), Cancellation)).Exists;

    /// <summary>Lets virtual time pass, a little at a time, until the condition holds; fails after <paramref name="limit"/> of virtual time.</summary>
    public async Task UntilAsync(string reason, Func<bool> condition, TimeSpan limit)
    {
        var step = TimeSpan.FromMilliseconds(10);
        for (var passed = TimeSpan.Zero; !condition(); passed += step)
        {
            Assert.True(passed < limit, $"Not within {limit} of virtual time: {reason}.");
            Time.Advance(step);

            // What became due runs on the thread pool.
            await Task.Delay(1, Cancellation);
        }
    }

    /// <summary>Lets virtual time pass until the work has ended.</summary>
    public async Task<T> RunAsync<T>(Task<T> work)
    {
        await UntilAsync("the work has ended", () => work.IsCompleted, TimeSpan.FromHours(1));
        return await work;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            await process.DisposeAsync();
        }

        await Store.DisposeAsync();
    }
}

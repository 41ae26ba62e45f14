using System.Text;
using Pub.Simulation.Kernel;
using Pub.Simulation.Store;
using Pub.Storage;

namespace Pub.Simulation.Tests;

public sealed class KernelTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromHours(1);
    private static readonly DocumentKey Counter = new(DocumentCollection.Offsets, "counter");

    private static readonly StoreFaults Faulty = new()
    {
        Unavailable = 0.05,
        UnknownApplied = 0.05,
        UnknownNotApplied = 0.05,
        UnknownAppliedLater = 0.05,
        Slow = 0.05,
        PollInterval = TimeSpan.FromMilliseconds(50),
    };

    [Fact]
    public void Run_SameSeedTwice_DoesTheSame()
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            Assert.Equal(CountTogether(seed, careful: true).Trace.Hash, CountTogether(seed, careful: true).Trace.Hash);
        }

        Assert.NotEqual(CountTogether(1, careful: true).Trace.Hash, CountTogether(2, careful: true).Trace.Hash);
    }

    [Fact]
    public void Count_CasLoopThatMindsUnknownOutcomes_LosesNothing()
    {
        for (var seed = 1; seed <= 300; seed++)
        {
            CountTogether(seed, careful: true).ThrowIfFailed();
        }
    }

    [Fact]
    public void Count_UnknownOutcomeTakenForFailure_IsCaught() =>
        Assert.Contains(Enumerable.Range(1, 50), seed => CountTogether(seed, careful: false).Scheduler.Failure is not null);

    [Fact]
    public void Run_ContinuationFromAnotherThread_FailsTheRun()
    {
        var world = new SimWorld(1);
        world.Run(() => Task.Run(() => 1), Limit);
        SpinWait.SpinUntil(() => world.Scheduler.Failure is not null, TimeSpan.FromSeconds(30));
        Assert.NotNull(world.Scheduler.Failure);
    }

    [Fact]
    public void Delay_ProcessPaused_EndsLateAndMonotonicClockGoesOn()
    {
        var (after, monotonic, wall) = StopDuringDelay(suspend: false);
        Assert.Equal(TimeSpan.FromSeconds(60), after);
        Assert.Equal(TimeSpan.FromSeconds(60), monotonic);
        Assert.Equal(TimeSpan.FromSeconds(60), wall);
    }

    [Fact]
    public void Delay_MachineSuspended_MonotonicClockStandsStill()
    {
        var (after, monotonic, wall) = StopDuringDelay(suspend: true);
        Assert.Equal(TimeSpan.FromSeconds(69), after);
        Assert.Equal(TimeSpan.FromSeconds(10), monotonic);
        Assert.Equal(TimeSpan.FromSeconds(69), wall);
    }

    [Fact]
    public void Kill_ProcessThatWaits_NeverRunsAgain()
    {
        var world = new SimWorld(1);
        var node = world.NewNode();
        var ran = false;
        world.Run(
            async () =>
            {
                var work = node.Process.Do(async () =>
                {
                    try
                    {
                        await Task.Delay(TimeSpan.FromSeconds(5), node.Process.Clock);
                    }
                    finally
                    {
                        ran = true;
                    }
                });
                await world.Delay(TimeSpan.FromSeconds(1));
                node.Process.Kill();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => work);
                await world.Delay(TimeSpan.FromSeconds(60));
            },
            Limit);
        world.ThrowIfFailed();
        Assert.False(ran);
    }

    [Fact]
    public void FailOver_VolatileWritesAfterDurableOne_AreLost()
    {
        var world = new SimWorld(1);
        var store = world.NewNode().Store;
        var text = "";
        world.Run(
            async () =>
            {
                await store.InsertAsync(Counter, Bytes(0), WriteOptions.Synced);
                await store.IncrementAsync(Counter, new CounterPath("n"), 1);
                await store.IncrementAsync(Counter, new CounterPath("n"), 1, WriteOptions.Synced);
                await store.IncrementAsync(Counter, new CounterPath("n"), 1);
                var epoch = await store.GetEpochAsync(Counter, CancellationToken.None);
                world.Cluster.FailOverAll(TimeSpan.FromSeconds(10));
                Assert.NotEqual(epoch, await store.GetEpochAsync(Counter, CancellationToken.None));
                text = Encoding.UTF8.GetString((await store.GetAsync(Counter, CancellationToken.None)).Content.Span);
            },
            Limit);
        world.ThrowIfFailed();
        Assert.Equal("""{"n":2}""", text);
    }

    private static (TimeSpan After, TimeSpan Monotonic, TimeSpan Wall) StopDuringDelay(bool suspend)
    {
        var world = new SimWorld(1);
        var node = world.NewNode();
        (TimeSpan, TimeSpan, TimeSpan) answer = default;
        world.Run(
            async () =>
            {
                var (timestamp, wall) = (node.Process.Clock.GetTimestamp(), node.Process.Clock.GetUtcNow());
                var work = node.Process.Do(() => Task.Delay(TimeSpan.FromSeconds(10), node.Process.Clock));
                await world.Delay(TimeSpan.FromSeconds(1));
                node.Process.Stop(suspend);
                await world.Delay(TimeSpan.FromSeconds(59));
                node.Process.GoOn();
                await work;
                answer = (world.Scheduler.Elapsed, node.Process.Clock.GetElapsedTime(timestamp), node.Process.Clock.GetUtcNow() - wall);
            },
            Limit);
        world.ThrowIfFailed();
        return answer;
    }

    // Three processes add to one number by CAS. What was reported as done must be in the sum, what was reported as failed must not.
    private static SimWorld CountTogether(int seed, bool careful)
    {
        var world = new SimWorld(seed);
        var (done, unknown) = (0, 0);
        async Task AddAsync(NodeStore store)
        {
            for (var i = 0; i < 10; i++)
            {
                try
                {
                    var outcome = await TryAddAsync(store);
                    done += outcome ? 1 : 0;
                }
                catch (StoreUnavailableException)
                {
                }
                catch (OutcomeUnknownException) when (careful)
                {
                    unknown++;
                }
                catch (OutcomeUnknownException)
                {
                }
            }
        }

        world.Run(
            async () =>
            {
                await new NodeStore(world.Cluster, world.Test).InsertAsync(Counter, Bytes(0));
                world.Cluster.Faults = Faulty;
                await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => world.NewNode()).Select(node => node.Process.Do(() => AddAsync(node.Store))));
                await world.Delay(TimeSpan.FromMinutes(5));
                var sum = Number(world.Cluster.Read(Counter));
                if (sum < done || sum > done + unknown)
                {
                    world.Fail($"{done} additions done, {unknown} unknown, and the sum is {sum}.");
                }
            },
            Limit);
        return world;
    }

    private static async Task<bool> TryAddAsync(NodeStore store)
    {
        while (true)
        {
            var document = await store.GetAsync(Counter, CancellationToken.None);
            if (!document.Exists)
            {
                return false;
            }

            var result = await store.ReplaceAsync(Counter, Bytes(Number(document) + 1), document.Cas);
            if (result.IsApplied)
            {
                return true;
            }
        }
    }

    private static byte[] Bytes(long number) => Encoding.UTF8.GetBytes($$"""{"n":{{number}}}""");

    private static long Number(StoredDocument document) => JsonCounter.Read(document.Content.Span, new CounterPath("n"));
}

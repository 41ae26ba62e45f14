using Pub.Subscriptions;

namespace Pub.Tests.Subscriptions;

public sealed class DeliveryQueueTests
{
    private readonly ReaderFixture _fixture = new();
    private readonly LeaseReader _reader;
    private readonly DeliveryQueue _queue = new();

    public DeliveryQueueTests() => _reader = _fixture.IdleReader();

    [Fact]
    public void TryTake_SeveralKeys_OneOfAKeyAtATimeAndInOrder()
    {
        _queue.Enqueue(_fixture.Deliveries(_reader, "a", "a", "b", null, "a"));

        var first = Take(10);
        Assert.Equal(["a1", "b3", "4"], Ids(first));
        Assert.Empty(Take(10));

        _queue.Finish(first[0]);
        var second = Take(10);
        Assert.Equal(["a2"], Ids(second));
        _queue.Finish(second[0]);
        Assert.Equal(["a5"], Ids(Take(10)));
    }

    [Fact]
    public void TryTake_Runs_TakesWhatWaitsOfTheKeyAndHoldsItUntilAllAreDone()
    {
        _queue.Enqueue(_fixture.Deliveries(_reader, "a", "b", "a", "a", "a"));

        var batch = Take(4, runs: true);

        Assert.Equal(["a1", "a3", "a4", "a5"], Ids(batch));
        _queue.Enqueue(_fixture.Deliveries(_reader, "a"));
        Assert.Equal(["b2"], Ids(Take(10)));
        foreach (var delivery in batch)
        {
            Assert.Empty(Take(10));
            _queue.Finish(delivery);
        }

        Assert.Equal(["a6"], Ids(Take(10)));
    }

    [Fact]
    public void Return_OneDelivery_ComesBeforeWhatWaitsOfItsKey()
    {
        var deliveries = _fixture.Deliveries(_reader, "a", "a");
        _queue.Enqueue(deliveries);
        var first = Take(1)[0];

        _queue.Return(first, Again(first));

        Assert.Equal(["a1"], Ids(Take(10)));
    }

    [Theory]
    [InlineData(0, 1, 2)]
    [InlineData(2, 1, 0)]
    [InlineData(1, 2, 0)]
    public void Return_WholeRunInAnyOrder_KeepsTheOrderOfArrival(params int[] order)
    {
        _queue.Enqueue(_fixture.Deliveries(_reader, "a", "a", "a", "a"));
        var run = Take(3, runs: true);

        foreach (var index in order)
        {
            _queue.Return(run[index], Again(run[index]));
        }

        Assert.Equal(["a1", "a2", "a3", "a4"], Ids(Take(4, runs: true)));
    }

    [Fact]
    public void Withdraw_OneReader_TakesBackWhatNobodyHasBegunInOrderAndLeavesTheOthers()
    {
        var other = _fixture.IdleReader();
        _queue.Enqueue(_fixture.Deliveries(_reader, "a", "b", null));
        _queue.Enqueue(_fixture.Deliveries(other, "a", "c"));
        _queue.Enqueue(_fixture.Deliveries(_reader, "b", "a"));
        var begun = Take(1);

        var withdrawn = _queue.Withdraw(_reader);

        Assert.Equal(["a1"], Ids(begun));
        Assert.Equal(["b2", "3", "b6", "a7"], Ids(withdrawn));
        Assert.Equal(["c5"], Ids(Take(10)));
        _queue.Finish(begun[0]);
        Assert.Equal(["a4"], Ids(Take(10)));
        _queue.Enqueue(withdrawn);
        Assert.Equal(["b2", "3"], Ids(Take(10)));
    }

    [Fact]
    public void TryTake_OfAShard_LeavesTheRest()
    {
        _queue.Enqueue(_fixture.Deliveries(_reader, null, null));

        List<Delivery> none = [];
        Assert.Equal(0, _queue.TryTake(none, 10, ReaderFixture.Shard with { Number = 5 }));
        Assert.Equal(2, _queue.TryTake(none, 10, ReaderFixture.Shard));
    }

    [Fact]
    public void TryTake_RunOfAShard_EndsWhereTheKeysNextMessageIsOfAnother()
    {
        var deliveries = _fixture.Deliveries(_reader, "a", "a", "a");
        var elsewhere = new ShardWindow(new ShardId(TopicName.Topic("other"), 0), new SettledRanges(Position.Beginning), _fixture.Clock);
        deliveries[1] = new Delivery(_reader, new WindowSlot(elsewhere, Offset.First), 0, deliveries[1].Message, 1, deliveries[1].Order);
        _queue.Enqueue(deliveries);

        List<Delivery> taken = [];
        _queue.TryTake(taken, 10, ReaderFixture.Shard, runs: true);

        Assert.Equal(["a1"], Ids(taken));
        _queue.Finish(taken[0]);
        Assert.Equal(["a2", "a3"], Ids(Take(10, runs: true)));
    }

    [Fact]
    public void Withdraw_WhatWaitsBehindAnotherReadersHold_NoLongerCountsAsHeld()
    {
        var queue = new DeliveryQueue(mostHeld: 3);
        var other = _fixture.IdleReader();
        for (var round = 0; round < 5; round++)
        {
            queue.Enqueue(_fixture.Deliveries(_reader, "a"));
            Assert.True(queue.TryTake(out var nacked));
            Assert.True(queue.TryHold(nacked, Again(nacked), TimeSpan.FromHours(1)));
            queue.Enqueue(_fixture.Deliveries(other, "a"));

            Assert.False(queue.TryTake(out _), "The key is held.");
            Assert.Single(queue.Withdraw(other));
            Assert.Single(queue.Withdraw(_reader));
        }
    }

    [Fact]
    public void TryHold_ForLongerThanATimerTakes_IsHeld()
    {
        _queue.Enqueue(_fixture.Deliveries(_reader, "a", "a"));
        var first = Take(1)[0];

        Assert.True(_queue.TryHold(first, Again(first), TimeSpan.FromDays(90)));
        Assert.Empty(Take(10));
    }

    [Fact]
    public async Task WaitAsync_SomethingReady_IsWokenAtOnceAndForItsShardOnly()
    {
        var any = _queue.WaitAsync(null, Timeout.InfiniteTimeSpan, TimeProvider.System, CancellationToken.None);
        var shard = _queue.WaitAsync(ReaderFixture.Shard, Timeout.InfiniteTimeSpan, TimeProvider.System, CancellationToken.None);
        Assert.False(any.IsCompleted || shard.IsCompleted);

        _queue.Enqueue(_fixture.Deliveries(_reader, "a"));

        Assert.True(await any);
        Assert.True(await shard);
        Assert.True(await _queue.WaitAsync(ReaderFixture.Shard, Timeout.InfiniteTimeSpan, TimeProvider.System, CancellationToken.None));
        Assert.False(_queue.WaitAsync(ReaderFixture.Shard with { Number = 1 }, Timeout.InfiniteTimeSpan, TimeProvider.System, CancellationToken.None).IsCompleted);
    }

    [Fact]
    public async Task WaitAsync_TimePasses_AnswersFalseAndLeavesNothingBehind()
    {
        var given = _queue.WaitAsync(null, TimeSpan.FromSeconds(1), _fixture.Clock, CancellationToken.None);
        using var source = new CancellationTokenSource();
        var cancelled = _queue.WaitAsync(null, TimeSpan.FromSeconds(9), _fixture.Clock, source.Token);
        var stays = _queue.WaitAsync(null, TimeSpan.FromSeconds(9), _fixture.Clock, CancellationToken.None);
        _fixture.Clock.Advance(TimeSpan.FromSeconds(1));
        source.Cancel();

        Assert.False(await given);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        _queue.Enqueue(_fixture.Deliveries(_reader, "a"));
        Assert.True(await stays);
    }

    [Fact]
    public async Task PassOn_WokenOneLeaves_WakesAnother()
    {
        var first = _queue.WaitAsync(null, Timeout.InfiniteTimeSpan, TimeProvider.System, CancellationToken.None);
        var second = _queue.WaitAsync(null, Timeout.InfiniteTimeSpan, TimeProvider.System, CancellationToken.None);
        _queue.Enqueue(_fixture.Deliveries(_reader, "a"));
        Assert.True(await first);
        Assert.False(second.IsCompleted);

        _queue.PassOn();

        Assert.True(await second);
    }

    [Fact]
    public async Task Close_WithWaiters_TellsThemAndThoseWhoCome()
    {
        var waiting = _queue.WaitAsync(null, Timeout.InfiniteTimeSpan, TimeProvider.System, CancellationToken.None);
        var ofShard = _queue.WaitAsync(ReaderFixture.Shard, Timeout.InfiniteTimeSpan, TimeProvider.System, CancellationToken.None);

        _queue.Close();

        Assert.False(await waiting);
        Assert.False(await ofShard);
        Assert.False(await _queue.WaitAsync(null, Timeout.InfiniteTimeSpan, TimeProvider.System, CancellationToken.None));
    }

    [Fact]
    public async Task WaitAsync_ManyThreadsSomeOfWhichGiveUp_EverythingIsTakenOnceInItsKeysOrder()
    {
        const int count = 20_000;
        var keys = Enumerable.Range(0, count).Select(i => i % 3 == 0 ? null : $"k{i % 50}").ToArray();
        var deliveries = _fixture.Deliveries(_reader, keys);
        var taken = new System.Collections.Concurrent.ConcurrentQueue<Delivery>();
        var active = new System.Collections.Concurrent.ConcurrentDictionary<string, int>();
        var overlaps = 0;

        async Task TakeAllAsync(int seed)
        {
            var random = new Random(seed);
            while (taken.Count < count)
            {
                var wait = random.Next(3) == 0 ? TimeSpan.FromMilliseconds(random.Next(2)) : Timeout.InfiniteTimeSpan;
                if (!await _queue.WaitAsync(null, wait, TimeProvider.System, TestContext.Current.CancellationToken))
                {
                    continue;
                }

                while (_queue.TryTake(out var delivery))
                {
                    var key = delivery.Message.Key;
                    overlaps += key is not null && active.AddOrUpdate(key, 1, (_, n) => n + 1) != 1 ? 1 : 0;
                    taken.Enqueue(delivery);
                    _ = key is null ? 0 : active.AddOrUpdate(key, 0, (_, n) => n - 1);
                    _queue.Finish(delivery);
                }
            }

            _queue.Close();
        }

        var takers = Enumerable.Range(0, 8).Select(i => Task.Run(() => TakeAllAsync(i))).ToArray();
        for (var i = 0; i < count; i += 7)
        {
            _queue.Enqueue(deliveries[i..Math.Min(i + 7, count)]);
            if (i % 70 == 0)
            {
                await Task.Yield();
            }
        }

        await Task.WhenAll(takers).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.Equal(0, overlaps);
        Assert.Equal(count, taken.Distinct().Count());
        Assert.Equal(count, taken.Count);
        foreach (var lane in taken.Where(delivery => delivery.Message.Key is not null).GroupBy(delivery => delivery.Message.Key))
        {
            Assert.Equal(lane.Select(delivery => delivery.Order).Order(), lane.Select(delivery => delivery.Order));
        }
    }

    private static string[] Ids(IEnumerable<Delivery> deliveries) => [.. deliveries.Select(delivery => delivery.Message.Id)];

    private Delivery Again(Delivery nacked) =>
        new(_reader, nacked.Slot, nacked.Index, nacked.Message, 2, _fixture.Context.NextArrival(), nacked.Order);

    private List<Delivery> Take(int most, bool runs = false)
    {
        List<Delivery> taken = [];
        _queue.TryTake(taken, most, runs: runs);
        return taken;
    }
}

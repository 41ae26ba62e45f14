using Pub.Storage;
using Pub.Subscriptions;
using Pub.Topics;

namespace Pub.Tests.Subscriptions;

public sealed class TailProbeTests
{
    private readonly ReaderFixture _fixture = new();

    private TopicDirectory Directory => _fixture.Context.Directory;

    [Fact]
    public async Task RaiseAsync_EntriesAboveTheTail_RaisesItToTheHighest()
    {
        // executions.md 3: two confirmed entries, and a failover that set the tail back.
        await CreateAsync(2, 5, 69);

        Assert.Equal(69, (await Probe().RaiseAsync(ReaderFixture.Shard, ReaderFixture.Cancellation)).Value);
        Assert.Equal(69, await TailAsync());
    }

    [Fact]
    public async Task RaiseAsync_NothingAbove_LeavesIt()
    {
        await CreateAsync();

        Assert.Equal(0, (await Probe().RaiseAsync(ReaderFixture.Shard, ReaderFixture.Cancellation)).Value);
        Assert.Equal(0, await TailAsync());
    }

    [Fact]
    public async Task RaiseAsync_TwoAtOnce_NeverLowersIt()
    {
        await CreateAsync(3);

        await Task.WhenAll(
            Probe().RaiseAsync(ReaderFixture.Shard, ReaderFixture.Cancellation), Probe().RaiseAsync(ReaderFixture.Shard, ReaderFixture.Cancellation));

        Assert.InRange(await TailAsync(), 3, 6);
    }

    [Fact]
    public async Task RaiseAsync_TopicIsGone_ReadsNoEntry()
    {
        await _fixture.AppendAsync(null, ReaderFixture.One("1"));

        Assert.Equal(Offset.None, await Probe().RaiseAsync(ReaderFixture.Shard, ReaderFixture.Cancellation));
        Assert.Equal(0, _fixture.Store.Count(Pub.Testing.StoreOperation.Get, DocumentCollection.Messages));
    }

    [Fact]
    public void Observe_Epochs_AsksForAProbeOnceForEach()
    {
        var probe = Probe();

        Assert.False(probe.Observe(ReaderFixture.Shard, Epoch.Constant));
        Assert.True(probe.Observe(ReaderFixture.Shard, new Epoch(1, 1)));
        Assert.False(probe.Observe(ReaderFixture.Shard, new Epoch(1, 1)));
        Assert.Equal([ReaderFixture.Shard], probe.TakeDue());
        Assert.False(probe.HasDue);
        probe.PutBack(ReaderFixture.Shard);
        Assert.True(probe.HasDue);
        Assert.True(probe.Observe(ReaderFixture.Shard, new Epoch(1, 2)));
    }

    private TailProbe Probe() => new(_fixture.Store, Directory, _fixture.Runtime);

    private async Task CreateAsync(params long[] offsets)
    {
        await Directory.GetOrCreateAsync(ReaderFixture.Shard.Topic, new TopicSettings { Shards = 1 }, ReaderFixture.Cancellation);
        foreach (var offset in offsets)
        {
            await _fixture.Store.InsertAsync(DocumentKeys.Entry(ReaderFixture.Shard, new Offset(offset)), Entries.Encode(Entries.Message("m")));
        }
    }

    private async Task<long> TailAsync() => (await Directory.RefreshAsync(ReaderFixture.Shard.Topic, ReaderFixture.Cancellation))![0].Tail.Value;
}

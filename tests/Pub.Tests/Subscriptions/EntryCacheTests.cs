using Pub.Storage.Memory;
using Pub.Subscriptions;
using Pub.Testing;
using Pub.Topics;

namespace Pub.Tests.Subscriptions;

public sealed class EntryCacheTests
{
    private readonly ScriptedStore _store = new(new MemoryDocumentStore());

    [Fact]
    public async Task ReadAsync_Twice_FetchesAndDecodesOnce()
    {
        var cache = new EntryCache(_store, 10_000);
        await InsertAsync(1);

        var first = await ReadAsync(cache, 1);
        var second = await ReadAsync(cache, 1);

        Assert.Same(first[0], second[0]);
        Assert.Equal(1, _store.Count(StoreOperation.Get));
    }

    [Fact]
    public async Task ReadAsync_AppendedHere_FetchesNothing()
    {
        var cache = new EntryCache(_store, 10_000);
        cache.Add(ReaderFixture.Shard, new Offset(1), Entries.Encode(Entries.Message("1")));

        Assert.Equal("1", (await ReadAsync(cache, 1))[0]!.Messages[0].Id);
        Assert.Equal(0, _store.Count(StoreOperation.Get));
    }

    [Fact]
    public async Task ReadAsync_MissingSlot_IsAskedForAgainEachTime()
    {
        var cache = new EntryCache(_store, 10_000);
        await InsertAsync(2);
        var found = await ReadAsync(cache, 1, 2);
        Assert.Null(found[0]);
        Assert.NotNull(found[1]);

        await InsertAsync(1);

        Assert.NotNull((await ReadAsync(cache, 1))[0]);
    }

    [Fact]
    public async Task ReadAsync_MoreThanItHolds_LetsTheOldestGo()
    {
        var bytes = Entries.Encode(Entries.Message("1")).Length;
        var cache = new EntryCache(_store, (2 * bytes) + 1);
        for (var offset = 1; offset <= 3; offset++)
        {
            await InsertAsync(offset);
            await ReadAsync(cache, offset);
        }

        _store.ClearCalls();
        await ReadAsync(cache, 2, 3);
        Assert.Equal(0, _store.Count(StoreOperation.Get));
        await ReadAsync(cache, 1);
        Assert.Equal(1, _store.Count(StoreOperation.Get));
    }

    [Fact]
    public async Task ReadAsync_LargerThanTheWhole_LeavesTheOthersThere()
    {
        var bytes = Entries.Encode(Entries.Message("1")).Length;
        var cache = new EntryCache(_store, bytes + 1);
        await InsertAsync(1);
        await ReadAsync(cache, 1);
        cache.Add(ReaderFixture.Shard, new Offset(2), Entries.Encode(Entries.Message(new string('x', 200))));
        _store.ClearCalls();

        await ReadAsync(cache, 1);

        Assert.Equal(0, _store.Count(StoreOperation.Get));
    }

    [Fact]
    public async Task ReadAsync_NewerFormat_PassesTheExceptionThroughEachTime()
    {
        var cache = new EntryCache(_store, 10_000);
        await _store.InsertAsync(DocumentKeys.Entry(ReaderFixture.Shard, new Offset(1)), "{\"v\":9}"u8.ToArray());

        await Assert.ThrowsAsync<FormatVersionException>(() => ReadAsync(cache, 1));
        await Assert.ThrowsAsync<FormatVersionException>(() => ReadAsync(cache, 1));
    }

    private static Task<Entry?[]> ReadAsync(EntryCache cache, params long[] offsets) =>
        cache.ReadAsync([.. offsets.Select(offset => (ReaderFixture.Shard, new Offset(offset)))], ReaderFixture.Cancellation).AsTask();

    private async Task InsertAsync(long offset) =>
        Assert.True((await _store.Inner.InsertAsync(DocumentKeys.Entry(ReaderFixture.Shard, new Offset(offset)), Entries.Encode(Entries.Message($"{offset % 10}")))).IsApplied);
}

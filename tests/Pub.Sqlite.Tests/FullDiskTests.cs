using Pub.Storage;

namespace Pub.Sqlite.Tests;

/// <summary>A file that may not grow stands for a full disk: SQLite answers both with SQLITE_FULL.</summary>
public sealed class FullDiskTests : IDisposable
{
    private const int MaxPages = 100;

    private static readonly DocumentKey Counter = new(DocumentCollection.Offsets, "counter");
    private static readonly byte[] Large = new byte[50_000];

    private readonly TemporaryFile _file = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _file.Dispose();

    [Fact]
    public async Task Insert_NoRoom_FailsWholeAndWorksAgainOnceThereIsRoom()
    {
        await using var store = await OpenAsync();
        var stored = await FillAsync(store);
        Assert.InRange(stored, 5, 20);
        Assert.False((await store.GetAsync(Message(stored), Token)).Exists);
        Assert.True((await store.GetAsync(Message(stored - 1), Token)).Exists);
        await Assert.ThrowsAsync<StoreFullException>(async () => await store.InsertAsync(Message(stored), Large));

        Assert.True((await store.RemoveAsync(Message(0), default, WriteOptions.Synced)).IsApplied);
        Assert.True((await store.InsertAsync(Message(stored), Large, WriteOptions.Synced)).IsApplied);
        Assert.Equal(Large, (await store.GetAsync(Message(stored), Token)).Content.ToArray());
    }

    [Fact]
    public async Task Insert_NoRoom_HarmsNoNeighbourInItsTransaction()
    {
        await using var store = await OpenAsync();
        var small = await store.InsertAsync(new(DocumentCollection.Cursors, "c"), "1"u8.ToArray());
        var stored = await FillAsync(store);

        var replaced = store.ReplaceAsync(new(DocumentCollection.Cursors, "c"), "2"u8.ToArray(), small.Cas, WriteOptions.Synced);
        var failed = store.InsertAsync(Message(stored), Large, WriteOptions.Synced).AsTask();
        var removed = store.RemoveAsync(Message(0), default, WriteOptions.Synced);
        var inserted = store.InsertAsync(Message(stored + 1), Large, WriteOptions.Synced);
        Assert.True((await replaced).IsApplied);
        await Assert.ThrowsAsync<StoreFullException>(() => failed);
        Assert.True((await removed).IsApplied);
        Assert.True((await inserted).IsApplied);
        Assert.False((await store.GetAsync(Message(stored), Token)).Exists);
    }

    [Fact]
    public async Task Increment_AnsweredAndThenLost_ChangesTheEpochForEveryProcessBeforeTheNextWrite()
    {
        await using var store = await OpenAsync();
        await store.InsertAsync(Counter, """{"n":0}"""u8.ToArray(), WriteOptions.Synced);
        await using var other = await _file.OpenAsync();
        var (epoch, otherEpoch) = (await store.GetEpochAsync(Counter, Token), await other.GetEpochAsync(Counter, Token));
        Assert.Equal(Epoch.Constant, epoch);
        var stored = await FillAsync(store);
        var wait = other.WaitAsync(new(DocumentCollection.Leases, "never"), Cas.None, Timeout.InfiniteTimeSpan, Token).AsTask();

        var lost = false;
        for (var attempt = 0; attempt < 50 && !lost; attempt++)
        {
            var before = await ReadCounterAsync(store);
            var increment = store.IncrementAsync(Counter, new("n"), 1);
            var insert = store.InsertAsync(Message(stored), Large, WriteOptions.Synced).AsTask();
            Assert.Equal(before + 1, (await increment).Value);
            await Assert.ThrowsAsync<StoreFullException>(() => insert);
            lost = await ReadCounterAsync(store) == before;
            Assert.Equal(lost, epoch != await store.GetEpochAsync(Counter, Token));
        }

        Assert.True(lost, "The increment and the insert never shared a transaction.");
        await store.RemoveAsync(Message(0), default, WriteOptions.Synced);
        Assert.NotEqual(otherEpoch, await other.GetEpochAsync(Counter, Token));
        await wait.WaitAsync(TimeSpan.FromSeconds(30), Token); // who waits gets the chance to look at the epoch
    }

    private static async Task<int> FillAsync(SqliteDocumentStore store)
    {
        for (var i = 0; ; i++)
        {
            try
            {
                await store.InsertAsync(Message(i), Large, WriteOptions.Synced);
            }
            catch (StoreFullException)
            {
                return i;
            }
        }
    }

    private static async Task<long> ReadCounterAsync(SqliteDocumentStore store) =>
        JsonCounter.Read((await store.GetAsync(Counter, Token)).Content.Span, new("n"));

    private async Task<SqliteDocumentStore> OpenAsync()
    {
        var options = _file.Options;
        options.MaxPages = MaxPages;
        return await SqliteDocumentStore.OpenAsync(options, cancellationToken: Token);
    }

    private static DocumentKey Message(long number) => new(DocumentCollection.Messages, $"t:a/0/{number}");
}

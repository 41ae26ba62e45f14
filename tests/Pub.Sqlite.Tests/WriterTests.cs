using Pub.Storage;

namespace Pub.Sqlite.Tests;

/// <summary>What the writer promises beyond the port: syncs are counted, not timed.</summary>
public sealed class WriterTests : IDisposable
{
    private static readonly DocumentKey Counter = new(DocumentCollection.Offsets, "counter");
    private static readonly byte[] Body = "{}"u8.ToArray();

    private readonly TemporaryFile _file = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _file.Dispose();

    [Fact]
    public async Task Insert_ManyDurableAtOnce_ShareSyncs()
    {
        await using var store = await _file.OpenAsync();
        var before = store.Syncs;
        var inserts = Enumerable.Range(0, 2_000).Select(i => store.InsertAsync(Message(i), Body, WriteOptions.Synced).AsTask()).ToArray();
        Assert.All(await Task.WhenAll(inserts), result => Assert.True(result.IsApplied));
        Assert.InRange(store.Syncs - before, 1, 200);
    }

    [Fact]
    public async Task Insert_DurableOnesInTurn_EachHasItsSync()
    {
        await using var store = await _file.OpenAsync();
        for (var i = 0; i < 50; i++)
        {
            var before = store.Syncs;
            await store.InsertAsync(Message(i), Body, WriteOptions.Synced);
            Assert.Equal(before + 1, store.Syncs);
        }
    }

    [Fact]
    public async Task IncrementThenDurableInsert_OneAtATime_CostOneSyncTogether()
    {
        await using var store = await _file.OpenAsync();
        await store.InsertAsync(Counter, """{"n":0}"""u8.ToArray(), WriteOptions.Synced);
        var before = (store.Syncs, store.Transactions);
        for (var i = 0; i < 100; i++)
        {
            var offset = await store.IncrementAsync(Counter, new("n"), 1);
            await store.InsertAsync(Message(offset.Value), Body, WriteOptions.Synced);
        }

        Assert.Equal(100, store.Syncs - before.Syncs);
        Assert.InRange(store.Transactions - before.Transactions, 100, 200); // they usually share the transaction, too
    }

    [Fact]
    public async Task Write_NotDurable_CostsNoSync()
    {
        await using var store = await _file.OpenAsync();
        var inserted = await store.InsertAsync(Counter, """{"n":0}"""u8.ToArray());
        var before = store.Syncs;
        await store.ReplaceAsync(Counter, """{"n":1}"""u8.ToArray(), inserted.Cas);
        await store.IncrementAsync(Counter, new("n"), 1);
        await store.RemoveAsync(Counter);
        Assert.Equal(before, store.Syncs);
    }

    [Fact]
    public async Task Write_Relaxed_CostsNoSyncAndIsInTheFile()
    {
        var options = _file.Options;
        options.Synchronous = SqliteSynchronous.Relaxed;
        await using (var store = await SqliteDocumentStore.OpenAsync(options, cancellationToken: Token))
        {
            await store.InsertAsync(Message(1), Body, WriteOptions.Synced);
            Assert.Equal(0, store.Syncs);
            Assert.Equal(1, RawFile.Count(_file.Path, "messages"));
        }
    }

    [Fact]
    public async Task Increment_ThousandTimesAtOnce_SharesFewTransactions()
    {
        await using var store = await _file.OpenAsync();
        await store.InsertAsync(Counter, """{"n":0}"""u8.ToArray());
        var before = store.Transactions;
        var results = await Task.WhenAll(Enumerable.Range(0, 1_000).Select(_ => store.IncrementAsync(Counter, new("n"), 1).AsTask()));
        Assert.Equal(Enumerable.Range(1, 1_000).Select(i => (long)i), results.Select(r => r.Value));
        Assert.InRange(store.Transactions - before, 0, 100);
    }

    [Fact]
    public async Task Read_IncrementAnsweredInAnOpenTransaction_SeesIt()
    {
        await using var store = await _file.OpenAsync();
        await store.InsertAsync(Counter, """{"n":0}"""u8.ToArray());
        var seenWhileOpen = 0;
        for (var value = 1; value <= 300; value++)
        {
            var before = await store.GetAsync(Counter, Token);
            var transactions = store.Transactions;
            Assert.Equal(value, (await store.IncrementAsync(Counter, new("n"), 1)).Value);
            var one = await store.GetAsync(Counter, Token);
            var many = await store.GetManyAsync([Counter], Token);
            seenWhileOpen += store.Transactions == transactions ? 1 : 0;
            Assert.Equal(value, JsonCounter.Read(one.Content.Span, new("n")));
            Assert.Equal(one.Cas, many[0].Cas);
            Assert.Equal(one.Cas, (await store.WaitAsync(Counter, before.Cas, Timeout.InfiniteTimeSpan, Token)).Cas);
            if (value % 10 == 0)
            {
                Assert.True((await store.ReplaceAsync(Counter, one.Content, one.Cas, WriteOptions.Synced)).IsApplied);
            }
        }

        Assert.NotEqual(0, seenWhileOpen);
    }

    [Fact]
    public async Task Increment_AfterADurableWriteOfTheSameDocument_SeesItAndKeepsBoth()
    {
        await using var store = await _file.OpenAsync();
        var insert = store.InsertAsync(Counter, """{"n":10}"""u8.ToArray(), WriteOptions.Synced);
        var first = store.IncrementAsync(Counter, new("n"), 1);
        var second = store.IncrementAsync(Counter, new("n"), 1, WriteOptions.Synced);
        var third = store.IncrementAsync(Counter, new("n"), 1);
        Assert.True((await insert).IsApplied);
        Assert.Equal((11, 12, 13), ((await first).Value, (await second).Value, (await third).Value));
        Assert.InRange(store.Syncs, 1, 2);
        Assert.Equal(13, JsonCounter.Read((await store.GetAsync(Counter, Token)).Content.Span, new("n")));
    }

    [Fact]
    public async Task Write_MixedOnOneDocument_HappensInTheOrderAsked()
    {
        await using var store = await _file.OpenAsync();
        var inserted = store.InsertAsync(Counter, """{"n":1}"""u8.ToArray());
        var incremented = store.IncrementAsync(Counter, new("n"), 1);
        var exists = store.InsertAsync(Counter, Body);
        var moved = store.ReplaceAsync(Counter, Body, new Cas(ulong.MaxValue >> 1));
        var removed = store.RemoveAsync(Counter);
        var missing = store.IncrementAsync(Counter, new("n"), 1);
        var again = store.InsertAsync(Counter, """{"n":5}"""u8.ToArray());
        Assert.True((await inserted).IsApplied);
        Assert.Equal(2, (await incremented).Value);
        Assert.Equal(WriteStatus.Exists, (await exists).Status);
        Assert.Equal(WriteStatus.Moved, (await moved).Status);
        Assert.Equal(WriteStatus.Applied, (await removed).Status);
        Assert.Equal(WriteStatus.Missing, (await missing).Status);
        Assert.True((await again).IsApplied);
        Assert.NotEqual((await store.GetAsync(Counter, Token)).Cas, default);
    }

    [Fact]
    public async Task Log_UnderSteadyWrites_StaysBounded()
    {
        var options = _file.Options;
        options.LogBytes = 1 << 20;
        await using var store = await SqliteDocumentStore.OpenAsync(options, cancellationToken: Token);
        var body = new byte[20_000];
        for (var i = 0; i < 60; i++)
        {
            await Task.WhenAll(Enumerable.Range(0, 50).Select(n => store.InsertAsync(Message((i * 50) + n), body, WriteOptions.Synced).AsTask()));
        }

        Assert.NotEqual(0, store.LogRestarts);
        Assert.InRange(new FileInfo(_file.Path + "-wal").Length, 1, 20 << 20); // 60 MB were written
    }

    private static DocumentKey Message(long number) => new(DocumentCollection.Messages, $"t:a/0/{number}");
}

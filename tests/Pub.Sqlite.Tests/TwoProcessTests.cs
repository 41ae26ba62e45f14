using System.Globalization;
using Pub.Storage;

namespace Pub.Sqlite.Tests;

public sealed class TwoProcessTests : IDisposable
{
    private static readonly DocumentKey Counter = new(DocumentCollection.Offsets, "counter");
    private static readonly DocumentKey Replaced = new(DocumentCollection.Cursors, "replaced");

    private readonly TemporaryFile _file = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _file.Dispose();

    [Fact]
    public async Task IncrementAndReplace_FromThreeProcesses_LoseNothingAndRepeatNothing()
    {
        const int times = 100;
        await using var store = await _file.OpenAsync();
        await store.InsertAsync(Counter, """{"n":0}"""u8.ToArray());
        await store.InsertAsync(Replaced, """{"n":0}"""u8.ToArray());

        var argument = times.ToString(CultureInfo.InvariantCulture);
        using var first = new Probe("count", _file.Path, argument);
        using var second = new Probe("count", _file.Path, argument);
        for (var i = 0; i < times; i++)
        {
            await store.IncrementAsync(Counter, new("n"), 1);
        }

        List<string> lines = [.. await first.ReadToEndAsync(), .. await second.ReadToEndAsync()];
        Assert.Equal(4 * times, lines.Count);
        Assert.Equal(lines.Count, lines.Distinct().Count());
        Assert.Equal(3 * times, JsonCounter.Read((await store.GetAsync(Counter, Token)).Content.Span, new("n")));
        Assert.Equal(2 * times, JsonCounter.Read((await store.GetAsync(Replaced, Token)).Content.Span, new("n")));
    }

    [Fact]
    public async Task Wait_AnotherProcessWrites_IsWoken()
    {
        await using var store = await _file.OpenAsync();
        using var probe = new Probe("wait", _file.Path, Counter.Id);
        Assert.Equal("waiting 0", await probe.ReadLineAsync());
        var inserted = await store.InsertAsync(Counter, """{"n":0}"""u8.ToArray());
        await AssertWokenAsync(probe, inserted.Cas);

        await store.IncrementAsync(Counter, new("n"), 1);
        var incremented = await store.GetAsync(Counter, Token);
        await AssertWokenAsync(probe, incremented.Cas);

        var replaced = await store.ReplaceAsync(Counter, "{}"u8.ToArray(), incremented.Cas, WriteOptions.Synced);
        await AssertWokenAsync(probe, replaced.Cas);

        await store.RemoveAsync(Counter);
        Assert.Equal("woken 0", await probe.ReadLineAsync());
        Assert.Null(await probe.ReadLineAsync());
    }

    [Fact]
    public async Task Wait_ManyForOneDocument_AnotherStoreWrites_FewLooksWakeAll()
    {
        await using var writer = await _file.OpenAsync();
        await using var store = await _file.OpenAsync();
        var waits = Enumerable.Range(0, 50).Select(_ => store.WaitAsync(Counter, Cas.None, Timeout.InfiniteTimeSpan, Token).AsTask()).ToArray();
        var inserted = await writer.InsertAsync(Counter, "{}"u8.ToArray());
        foreach (var document in await Task.WhenAll(waits).WaitAsync(TimeSpan.FromSeconds(30), Token))
        {
            Assert.Equal(inserted.Cas, document.Cas);
        }

        Assert.InRange(store.Foreign.Looks, 1, 10);
    }

    private static async Task AssertWokenAsync(Probe probe, Cas cas)
    {
        Assert.Equal($"woken {cas.Value}", await probe.ReadLineAsync());
        Assert.Equal($"waiting {cas.Value}", await probe.ReadLineAsync());
    }
}

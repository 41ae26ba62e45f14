using Microsoft.Extensions.Time.Testing;
using Pub.Storage;

namespace Pub.Sqlite.Tests;

public sealed class TimeToLiveTests : IDisposable
{
    private readonly TemporaryFile _file = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _file.Dispose();

    [Fact]
    public async Task Expired_ByTheGivenClock_IsHiddenAtOnceAndLaterRemovedInBatches()
    {
        const int count = 1_000;
        await using var store = await _file.OpenAsync(_time);
        var options = new WriteOptions(Durable: false, TimeSpan.FromSeconds(5));
        await Task.WhenAll(Enumerable.Range(0, count).Select(i => store.InsertAsync(Key(i), "{}"u8.ToArray(), options).AsTask()));
        await store.InsertAsync(Key(count), "{}"u8.ToArray());

        _time.Advance(TimeSpan.FromSeconds(5) - TimeSpan.FromMilliseconds(1));
        Assert.True((await store.GetAsync(Key(0), Token)).Exists);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.False((await store.GetAsync(Key(0), Token)).Exists);
        Assert.Equal(count + 1, RawFile.Count(_file.Path, "messages"));

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        while (RawFile.Count(_file.Path, "messages") > 1)
        {
            Assert.False(limit.IsCancellationRequested, "The sweep did not remove all expired documents.");
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.True((await store.GetAsync(Key(count), Token)).Exists);
    }

    [Fact]
    public async Task Insert_OverAnExpiredDocument_IsApplied()
    {
        await using var store = await _file.OpenAsync(_time);
        var first = await store.InsertAsync(Key(1), "1"u8.ToArray(), new(false, TimeSpan.FromSeconds(1)));
        _time.Advance(TimeSpan.FromSeconds(1));
        var second = await store.InsertAsync(Key(1), "2"u8.ToArray(), WriteOptions.Synced);
        Assert.True(second.IsApplied);
        Assert.NotEqual(first.Cas, second.Cas);
        _time.Advance(TimeSpan.FromDays(1));
        Assert.True((await store.GetAsync(Key(1), Token)).Exists);
    }

    [Fact]
    public async Task Increment_DocumentWithATimeToLive_KeepsIt()
    {
        await using var store = await _file.OpenAsync(_time);
        await store.InsertAsync(Key(1), """{"n":1}"""u8.ToArray(), new(false, TimeSpan.FromSeconds(1)));
        Assert.Equal(2, (await store.IncrementAsync(Key(1), new("n"), 1)).Value);
        await store.InsertAsync(Key(2), "{}"u8.ToArray()); // behind the increment's transaction
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False((await store.GetAsync(Key(1), Token)).Exists);
        Assert.Equal(WriteStatus.Missing, (await store.IncrementAsync(Key(1), new("n"), 1)).Status);
    }

    private static DocumentKey Key(int number) => new(DocumentCollection.Messages, $"t:a/0/{number}");
}

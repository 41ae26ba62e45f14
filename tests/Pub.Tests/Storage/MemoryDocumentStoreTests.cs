using System.Text;
using Microsoft.Extensions.Time.Testing;
using Pub.Storage;
using Pub.Storage.Memory;
using Pub.Testing.Storage;

namespace Pub.Tests.Storage;

public sealed class MemoryDocumentStoreTests : DocumentStoreContract
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));

    protected override ValueTask<IDocumentStore> OpenAsync() => new(new MemoryDocumentStore());

    [Fact]
    public async Task AnyMember_ThatNeedNotWait_CompletesAtOnce()
    {
        await using var store = new MemoryDocumentStore(_time);
        var insert = store.InsertAsync(Key(), Json("""{"n":1}"""));
        Assert.True(insert.IsCompletedSuccessfully);
        var inserted = await insert;
        Assert.True(store.GetAsync(Key(), Token).IsCompletedSuccessfully);
        Assert.True(store.GetManyAsync([Key()], Token).IsCompletedSuccessfully);
        Assert.True(store.IncrementAsync(Key(), new("n"), 1).IsCompletedSuccessfully);
        Assert.True(store.WaitAsync(Key(), inserted.Cas, TimeSpan.FromDays(1), Token).IsCompletedSuccessfully);
        Assert.True(store.RemoveAsync(Key()).IsCompletedSuccessfully);
    }

    [Fact]
    public async Task TimeToLive_ByTheGivenClock_HidesAndRemoves()
    {
        await using var store = new MemoryDocumentStore(_time);
        await store.InsertAsync(Key(), Json("1"), new WriteOptions(false, TimeSpan.FromMinutes(1)));
        await store.InsertAsync(Key("long"), Json("1"), new WriteOptions(false, TimeSpan.MaxValue));
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.True((await store.GetAsync(Key(), Token)).Exists);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False((await store.GetAsync(Key(), Token)).Exists);
        Assert.Equal(WriteStatus.Missing, (await store.RemoveAsync(Key())).Status);
        Assert.True((await store.InsertAsync(Key(), Json("2"))).IsApplied);
        _time.Advance(TimeSpan.FromDays(1000));
        Assert.Equal("2", Text(await store.GetAsync(Key(), Token)));
        Assert.True((await store.GetAsync(Key("long"), Token)).Exists);
    }

    [Fact]
    public async Task TimeToLive_ManyShortDocuments_AreRemovedByLaterWrites()
    {
        await using var store = new MemoryDocumentStore(_time);
        for (var i = 0; i < 10_000; i++)
        {
            await store.InsertAsync(Key($"{i}"), Json("1"), new WriteOptions(false, TimeSpan.FromSeconds(1)));
            _time.Advance(TimeSpan.FromMilliseconds(100));
        }

        // Ten live; in each of the 64 parts of the store some wait for the next write there.
        Assert.InRange(store.DocumentCount, 1, 200);
    }

    [Fact]
    public async Task Wait_TimeoutByTheGivenClock_AnswersWhatIsThere()
    {
        await using var store = new MemoryDocumentStore(_time);
        var wait = store.WaitAsync(Key(), Cas.None, TimeSpan.FromDays(30), Token).AsTask();
        _time.Advance(TimeSpan.FromDays(30) - TimeSpan.FromTicks(1));
        Assert.False(wait.IsCompleted);
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.False((await wait.WaitAsync(Limit, Token)).Exists);
    }

    [Fact]
    public async Task Wait_NegativeTimeout_ThrowsBeforeAnything()
    {
        await using var store = new MemoryDocumentStore(_time);
        Assert.Throws<ArgumentOutOfRangeException>("timeout", () => { _ = store.WaitAsync(Key(), Cas.None, TimeSpan.FromSeconds(-2), Token); });
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void Create_LimitNotPositive_ThrowsAndNamesTheSetting(int limit)
    {
        var options = new MemoryStoreOptions { MaxDocumentBytes = limit };
        Assert.Throws<ArgumentOutOfRangeException>("MaxDocumentBytes", () => new MemoryDocumentStore(_time, options));
    }

    [Fact]
    public async Task AnyMember_FromManyThreads_KeepsEveryDocumentWhole()
    {
        await using var store = new MemoryDocumentStore();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(
            async () =>
            {
                for (var i = 0; i < 5_000; i++)
                {
                    var key = Key($"{i % 37}");
                    var read = await store.GetAsync(key, Token);
                    var content = Encoding.UTF8.GetBytes($"{writer}:{i}:{writer}");
                    _ = (i % 3) switch
                    {
                        0 => await store.InsertAsync(key, content),
                        1 => await store.ReplaceAsync(key, content, read.Cas),
                        _ => await store.RemoveAsync(key, read.Cas),
                    };
                    Assert.True(!read.Exists || Text(read).Split(':') is [var first, _, var last] && first == last);
                }
            },
            Token)));
    }
}

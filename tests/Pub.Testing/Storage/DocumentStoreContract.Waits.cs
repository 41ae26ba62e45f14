using Pub.Storage;

namespace Pub.Testing.Storage;

public abstract partial class DocumentStoreContract
{
    [Fact]
    public async Task Wait_DocumentDiffersAlready_AnswersAtOnce()
    {
        await using var store = await OpenAsync();
        var first = await store.InsertAsync(Key(), Json("1"));
        var second = await store.ReplaceAsync(Key(), Json("2"), first.Cas);

        var document = await store.WaitAsync(Key(), first.Cas, Timeout.InfiniteTimeSpan, Token).AsTask().WaitAsync(Limit, Token);
        Assert.Equal(("2", second.Cas), (Text(document), document.Cas));
        Assert.Equal(second.Cas, (await store.WaitAsync(Key(), Cas.None, Timeout.InfiniteTimeSpan, Token).AsTask().WaitAsync(Limit, Token)).Cas);
    }

    [Fact]
    public async Task Wait_ProcessedVersionWasRemoved_AnswersMissingAtOnce()
    {
        await using var store = await OpenAsync();
        var first = await store.InsertAsync(Key(), Json("1"));
        await store.RemoveAsync(Key());
        Assert.False((await store.WaitAsync(Key(), first.Cas, Timeout.InfiniteTimeSpan, Token).AsTask().WaitAsync(Limit, Token)).Exists);
    }

    [Fact]
    public async Task Wait_MissingDocument_EndsByItsInsert()
    {
        await using var store = await OpenAsync();
        var wait = store.WaitAsync(Key(), Cas.None, Timeout.InfiniteTimeSpan, Token).AsTask();
        await store.InsertAsync(Key("other"), Json("1"));
        await store.InsertAsync(new(DocumentCollection.Offsets, "a"), Json("1"));
        Assert.False(wait.IsCompleted);

        var inserted = await store.InsertAsync(Key(), Json("1"));
        Assert.Equal(inserted.Cas, (await wait.WaitAsync(Limit, Token)).Cas);
    }

    [Fact]
    public async Task Wait_EachKindOfWrite_EndsIt()
    {
        await using var store = await OpenAsync();
        var inserted = await store.InsertAsync(Key(), Json("""{"n":1}"""));

        var wait = store.WaitAsync(Key(), inserted.Cas, Timeout.InfiniteTimeSpan, Token).AsTask();
        await store.IncrementAsync(Key(), new("n"), 1);
        var incremented = await wait.WaitAsync(Limit, Token);
        Assert.Equal("""{"n":2}""", Text(incremented));

        wait = store.WaitAsync(Key(), incremented.Cas, Timeout.InfiniteTimeSpan, Token).AsTask();
        var replaced = await store.ReplaceAsync(Key(), Json("3"), incremented.Cas);
        Assert.Equal(replaced.Cas, (await wait.WaitAsync(Limit, Token)).Cas);

        wait = store.WaitAsync(Key(), replaced.Cas, Timeout.InfiniteTimeSpan, Token).AsTask();
        await store.RemoveAsync(Key());
        Assert.False((await wait.WaitAsync(Limit, Token)).Exists);
    }

    [Fact]
    public async Task Wait_WriteThatLostItsCompetition_DoesNotEndIt()
    {
        await using var store = await OpenAsync();
        var inserted = await store.InsertAsync(Key(), Json("1"));
        var wait = store.WaitAsync(Key(), inserted.Cas, Timeout.InfiniteTimeSpan, Token).AsTask();
        await store.InsertAsync(Key(), Json("2"));
        await store.ReplaceAsync(Key(), Json("2"), new Cas(inserted.Cas.Value + 1_000_000));
        await store.RemoveAsync(Key(), new Cas(inserted.Cas.Value + 1_000_000));
        Assert.False(wait.IsCompleted);
        await store.RemoveAsync(Key());
        Assert.False((await wait.WaitAsync(Limit, Token)).Exists);
    }

    [Fact]
    public async Task Wait_ManyWaiters_AllEnd()
    {
        await using var store = await OpenAsync();
        var waits = Enumerable.Range(0, 50).Select(_ => store.WaitAsync(Key(), Cas.None, Timeout.InfiniteTimeSpan, Token).AsTask()).ToArray();
        var inserted = await store.InsertAsync(Key(), Json("1"));
        foreach (var document in await Task.WhenAll(waits).WaitAsync(Limit, Token))
        {
            Assert.Equal(inserted.Cas, document.Cas);
        }
    }

    [Fact]
    public async Task Wait_TimeoutPassed_AnswersWhatIsThere()
    {
        await using var store = await OpenAsync();
        Assert.False((await store.WaitAsync(Key(), Cas.None, TimeSpan.FromMilliseconds(20), Token)).Exists);
        Assert.False((await store.WaitAsync(Key(), Cas.None, TimeSpan.Zero, Token)).Exists);
        var inserted = await store.InsertAsync(Key(), Json("1"));
        var document = await store.WaitAsync(Key(), inserted.Cas, TimeSpan.FromMilliseconds(20), Token);
        Assert.Equal(("1", inserted.Cas), (Text(document), document.Cas));
    }

    [Fact]
    public async Task Wait_Cancelled_ThrowsAndHarmsNoOtherWait()
    {
        await using var store = await OpenAsync();
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var cancelled = store.WaitAsync(Key(), Cas.None, Timeout.InfiniteTimeSpan, cancellation.Token).AsTask();
        var other = store.WaitAsync(Key(), Cas.None, Timeout.InfiniteTimeSpan, Token).AsTask();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.WaitAsync(Limit, Token));
        Assert.False(other.IsCompleted);
        await store.InsertAsync(Key(), Json("1"));
        Assert.True((await other.WaitAsync(Limit, Token)).Exists);
    }

    [Fact]
    public async Task Wait_StoreDisposedMeanwhile_ThrowsObjectDisposed()
    {
        var store = await OpenAsync();
        var wait = store.WaitAsync(Key(), Cas.None, Timeout.InfiniteTimeSpan, Token).AsTask();
        await store.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => wait.WaitAsync(Limit, Token));
    }

    [Fact]
    public async Task Wait_FollowingACounterFromManyWriters_SeesTheLastValue()
    {
        await using var store = await OpenAsync();
        await store.InsertAsync(Key(), Json("""{"n":0}"""));
        var writers = Enumerable.Range(0, 4).Select(_ => Task.Run(
            async () =>
            {
                for (var i = 0; i < 50; i++)
                {
                    await store.IncrementAsync(Key(), new("n"), 1);
                }
            },
            Token)).ToArray();

        var seen = await store.GetAsync(Key(), Token);
        while (Text(seen) != """{"n":200}""")
        {
            var next = await store.WaitAsync(Key(), seen.Cas, Timeout.InfiniteTimeSpan, Token).AsTask().WaitAsync(Limit, Token);
            Assert.NotEqual(seen.Cas, next.Cas);
            seen = next;
        }

        await Task.WhenAll(writers);
    }
}

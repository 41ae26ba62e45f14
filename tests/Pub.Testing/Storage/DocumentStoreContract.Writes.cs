using System.Collections.Concurrent;
using Pub.Storage;

namespace Pub.Testing.Storage;

public abstract partial class DocumentStoreContract
{
    [Fact]
    public async Task Insert_DocumentExists_AnswersExistsAndChangesNothing()
    {
        await using var store = await OpenAsync();
        var first = await store.InsertAsync(Key(), Json("1"));
        var second = await store.InsertAsync(Key(), Json("2"));
        Assert.Equal(WriteStatus.Applied, first.Status);
        Assert.NotEqual(Cas.None, first.Cas);
        Assert.Equal(WriteStatus.Exists, second.Status);
        var read = await store.GetAsync(Key(), Token);
        Assert.Equal(("1", first.Cas), (Text(read), read.Cas));
    }

    [Fact]
    public async Task Insert_ManyAtOnceUnderOneKey_ExactlyOneIsApplied()
    {
        await using var store = await OpenAsync();
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(async () => await store.InsertAsync(Key(), Json($"{i}")), Token)));
        var winner = Assert.Single(Enumerable.Range(0, 20), i => results[i].IsApplied);
        Assert.Equal(19, results.Count(r => r.Status == WriteStatus.Exists));
        Assert.Equal($"{winner}", Text(await store.GetAsync(Key(), Token)));
    }

    [Fact]
    public async Task Replace_CasIsCurrent_WritesUnderANewCas()
    {
        await using var store = await OpenAsync();
        var inserted = await store.InsertAsync(Key(), Json("1"));
        var replaced = await store.ReplaceAsync(Key(), Json("2"), inserted.Cas);
        Assert.True(replaced.IsApplied);
        Assert.NotEqual(inserted.Cas, replaced.Cas);
        var read = await store.GetAsync(Key(), Token);
        Assert.Equal(("2", replaced.Cas), (Text(read), read.Cas));
    }

    [Fact]
    public async Task Replace_SameContent_ChangesTheCas()
    {
        await using var store = await OpenAsync();
        var inserted = await store.InsertAsync(Key(), Json("1"));
        var replaced = await store.ReplaceAsync(Key(), Json("1"), inserted.Cas);
        Assert.NotEqual(inserted.Cas, replaced.Cas);
        Assert.Equal(WriteStatus.Moved, (await store.ReplaceAsync(Key(), Json("1"), inserted.Cas)).Status);
    }

    [Fact]
    public async Task Replace_CasMoved_AnswersMovedAndChangesNothing()
    {
        await using var store = await OpenAsync();
        var first = await store.InsertAsync(Key(), Json("1"));
        var second = await store.ReplaceAsync(Key(), Json("2"), first.Cas);
        Assert.Equal(WriteStatus.Moved, (await store.ReplaceAsync(Key(), Json("3"), first.Cas)).Status);
        Assert.Equal(WriteStatus.Moved, (await store.ReplaceAsync(Key(), Json("3"), Cas.None)).Status);
        var read = await store.GetAsync(Key(), Token);
        Assert.Equal(("2", second.Cas), (Text(read), read.Cas));
    }

    [Fact]
    public async Task Replace_MissingDocument_AnswersMissing()
    {
        await using var store = await OpenAsync();
        Assert.Equal(WriteStatus.Missing, (await store.ReplaceAsync(Key(), Json("1"), new Cas(1))).Status);
        Assert.False((await store.GetAsync(Key(), Token)).Exists);
    }

    [Fact]
    public async Task Replace_ManyWithOneCas_ExactlyOneIsApplied()
    {
        await using var store = await OpenAsync();
        var inserted = await store.InsertAsync(Key(), Json("x"));
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(async () => await store.ReplaceAsync(Key(), Json($"{i}"), inserted.Cas), Token)));
        var winner = Assert.Single(Enumerable.Range(0, 20), i => results[i].IsApplied);
        Assert.Equal($"{winner}", Text(await store.GetAsync(Key(), Token)));
    }

    [Fact]
    public async Task Remove_AnyVersion_TheDocumentIsMissingAfterwards()
    {
        await using var store = await OpenAsync();
        await store.InsertAsync(Key(), Json("1"));
        Assert.Equal(WriteStatus.Applied, (await store.RemoveAsync(Key())).Status);
        Assert.False((await store.GetAsync(Key(), Token)).Exists);
        Assert.Equal(WriteStatus.Missing, (await store.RemoveAsync(Key())).Status);
    }

    [Fact]
    public async Task Remove_WithCas_RemovesOnlyThatVersion()
    {
        await using var store = await OpenAsync();
        var first = await store.InsertAsync(Key(), Json("1"));
        var second = await store.ReplaceAsync(Key(), Json("2"), first.Cas);
        Assert.Equal(WriteStatus.Moved, (await store.RemoveAsync(Key(), first.Cas)).Status);
        Assert.True((await store.GetAsync(Key(), Token)).Exists);
        Assert.Equal(WriteStatus.Applied, (await store.RemoveAsync(Key(), second.Cas)).Status);
        Assert.Equal(WriteStatus.Missing, (await store.RemoveAsync(Key(), second.Cas)).Status);
    }

    [Fact]
    public async Task Cas_AfterRemoveAndInsert_IsNeverUsedAgain()
    {
        await using var store = await OpenAsync();
        var seen = new HashSet<Cas>();
        for (var round = 0; round < 20; round++)
        {
            var inserted = await store.InsertAsync(Key(), Json("""{"n":1}"""));
            Assert.True(seen.Add(inserted.Cas), "an insert gave a version that was used before");
            await store.IncrementAsync(Key(), new("n"), 1);
            var incremented = (await store.GetAsync(Key(), Token)).Cas;
            Assert.True(seen.Add(incremented), "an increment gave a version that was used before");
            Assert.Equal(WriteStatus.Moved, (await store.ReplaceAsync(Key(), Json("{}"), inserted.Cas)).Status);
            var replaced = await store.ReplaceAsync(Key(), Json("""{"n":1}"""), incremented);
            Assert.True(seen.Add(replaced.Cas), "a replace gave a version that was used before");
            await store.RemoveAsync(Key());
        }
    }

    [Fact]
    public async Task Write_LargerThanTheLimit_ThrowsArgumentExceptionAndChangesNothing()
    {
        await using var store = await OpenAsync();
        var tooLarge = new byte[store.MaxDocumentBytes + 1];
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await store.InsertAsync(Key(), tooLarge));
        Assert.False((await store.GetAsync(Key(), Token)).Exists);

        var inserted = await store.InsertAsync(Key(), Json("1"));
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await store.ReplaceAsync(Key(), tooLarge, inserted.Cas));
        Assert.Equal(inserted.Cas, (await store.GetAsync(Key(), Token)).Cas);
    }

    [Fact]
    public async Task Write_AsLargeAsTheLimit_ComesBack()
    {
        await using var store = await OpenAsync();
        var largest = new byte[store.MaxDocumentBytes];
        new Random(1).NextBytes(largest);
        Assert.True((await store.InsertAsync(Key(), largest)).IsApplied);
        Assert.True((await store.GetAsync(Key(), Token)).Content.Span.SequenceEqual(largest));
    }

    [Theory]
    [InlineData("""{"n":41}""", "n", -1, 1, 42, """{"n":42}""")]
    [InlineData("""{"n":-1}""", "n", -1, -9, -10, """{"n":-10}""")]
    [InlineData("""{"tails":[1,2,99],"x":"ü"}""", "tails", 2, 1, 100, """{"tails":[1,2,100],"x":"ü"}""")]
    [InlineData("""{"a":{"n":1},"n":5}""", "n", -1, 0, 5, """{"a":{"n":1},"n":5}""")]
    public async Task Increment_WholeNumber_AnswersTheNewValue(string before, string property, int index, long delta, long value, string after)
    {
        await using var store = await OpenAsync();
        var inserted = await store.InsertAsync(Key(), Json(before));
        var result = await store.IncrementAsync(Key(), new(property, index), delta);
        Assert.Equal(new IncrementResult(WriteStatus.Applied, value), result);
        var read = await store.GetAsync(Key(), Token);
        Assert.Equal(after, Text(read));
        Assert.NotEqual(inserted.Cas, read.Cas);
        Assert.Equal(WriteStatus.Moved, (await store.ReplaceAsync(Key(), Json("{}"), inserted.Cas)).Status);
    }

    [Fact]
    public async Task Increment_MissingDocument_AnswersMissing()
    {
        await using var store = await OpenAsync();
        Assert.Equal(WriteStatus.Missing, (await store.IncrementAsync(Key(), new("n"), 1)).Status);
        Assert.False((await store.GetAsync(Key(), Token)).Exists);
    }

    [Theory]
    [InlineData("{}", "n", -1)]
    [InlineData("""{"n":"1"}""", "n", -1)]
    [InlineData("""{"n":1.5}""", "n", -1)]
    [InlineData("""{"n":[1]}""", "n", -1)]
    [InlineData("""{"n":[1]}""", "n", 1)]
    [InlineData("""{"n":1}""", "n", 0)]
    [InlineData("""{"x":{"n":1}}""", "n", -1)]
    public async Task Increment_NoWholeNumberThere_ThrowsAndChangesNothing(string content, string property, int index)
    {
        await using var store = await OpenAsync();
        var inserted = await store.InsertAsync(Key(), Json(content));
        await Assert.ThrowsAnyAsync<DocumentFormatException>(async () => await store.IncrementAsync(Key(), new(property, index), 1));
        var read = await store.GetAsync(Key(), Token);
        Assert.Equal((content, inserted.Cas), (Text(read), read.Cas));
    }

    [Fact]
    public async Task Increment_FromManyTasks_LosesNothingAndRepeatsNoValue()
    {
        await using var store = await OpenAsync();
        await store.InsertAsync(Key(), Json("""{"tails":[0,0]}"""));
        var values = new ConcurrentBag<long>();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(
            async () =>
            {
                for (var i = 0; i < 50; i++)
                {
                    values.Add((await store.IncrementAsync(Key(), new("tails", 1), 1)).Value);
                }
            },
            Token)));
        Assert.Equal(Enumerable.Range(1, 400).Select(i => (long)i), values.Order());
        Assert.Equal("""{"tails":[0,400]}""", Text(await store.GetAsync(Key(), Token)));
    }

    [Fact]
    public async Task Increment_BesideReplaces_LosesNeither()
    {
        await using var store = await OpenAsync();
        await store.InsertAsync(Key(), Json("""{"n":0}"""));
        var increments = Task.Run(
            async () =>
            {
                for (var i = 0; i < 100; i++)
                {
                    await store.IncrementAsync(Key(), new("n"), 1);
                }
            },
            Token);
        for (var applied = 0; applied < 20;)
        {
            var read = await store.GetAsync(Key(), Token);
            var raised = JsonCounter.Add(read.Content.Span, new("n"), 1_000, out _);
            applied += (await store.ReplaceAsync(Key(), raised, read.Cas)).IsApplied ? 1 : 0;
        }

        await increments;
        Assert.Equal("""{"n":20100}""", Text(await store.GetAsync(Key(), Token)));
    }

    [Fact]
    public async Task Write_Durable_IsReadBackAtOnce()
    {
        await using var store = await OpenAsync();
        var inserted = await store.InsertAsync(Key(), Json("""{"n":1}"""), WriteOptions.Synced);
        await store.IncrementAsync(Key(), new("n"), 1, WriteOptions.Synced);
        var read = await store.GetAsync(Key(), Token);
        Assert.Equal("""{"n":2}""", Text(read));
        Assert.NotEqual(inserted.Cas, read.Cas);
        Assert.True((await store.ReplaceAsync(Key(), Json("3"), read.Cas, WriteOptions.Synced)).IsApplied);
        Assert.True((await store.RemoveAsync(Key(), default, WriteOptions.Synced)).IsApplied);
    }

    [Fact]
    public async Task TimeToLive_Passed_TheDocumentIsMissingToEveryMember()
    {
        await using var store = await OpenAsync();
        var shortLife = new WriteOptions(Durable: false, TimeToLive: TimeSpan.FromSeconds(1));
        var gone = await store.InsertAsync(Key("gone"), Json("""{"n":1}"""), shortLife);
        var kept = await store.InsertAsync(Key("kept"), Json("1"), shortLife);
        await store.InsertAsync(Key("long"), Json("1"), new WriteOptions(Durable: false, TimeToLive: TimeSpan.FromDays(60)));
        await store.ReplaceAsync(Key("kept"), Json("2"), kept.Cas); // asks for no time to live: lives for ever

        await Until("the document is hidden", async () => !(await store.GetAsync(Key("gone"), Token)).Exists);

        Assert.False((await store.GetManyAsync([Key("gone")], Token))[0].Exists);
        Assert.Equal(WriteStatus.Missing, (await store.ReplaceAsync(Key("gone"), Json("2"), gone.Cas)).Status);
        Assert.Equal(WriteStatus.Missing, (await store.IncrementAsync(Key("gone"), new("n"), 1)).Status);
        Assert.Equal(WriteStatus.Missing, (await store.RemoveAsync(Key("gone"))).Status);
        Assert.False((await store.WaitAsync(Key("gone"), gone.Cas, Limit, Token)).Exists);
        Assert.True((await store.GetAsync(Key("kept"), Token)).Exists);
        Assert.True((await store.GetAsync(Key("long"), Token)).Exists);
        var again = await store.InsertAsync(Key("gone"), Json("3"));
        Assert.True(again.IsApplied);
        Assert.NotEqual(gone.Cas, again.Cas);
    }
}

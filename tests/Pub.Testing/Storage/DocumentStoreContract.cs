using System.Globalization;
using System.Text;
using Pub.Storage;

namespace Pub.Testing.Storage;

/// <summary>What <see cref="IDocumentStore"/> promises, sentence by sentence. Every store proves itself by a class that derives from this one.</summary>
public abstract partial class DocumentStoreContract
{
    /// <summary>How long a test waits for what must happen. Reached only by a failing test.</summary>
    protected static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Opens a new, empty store. Durations that it measures are real time.</summary>
    protected abstract ValueTask<IDocumentStore> OpenAsync();

    protected static DocumentKey Key(string id = "a") => new(DocumentCollection.Messages, id);

    protected static byte[] Json(string text) => Encoding.UTF8.GetBytes(text);

    protected static string Text(StoredDocument document) => Encoding.UTF8.GetString(document.Content.Span);

    protected static async Task Until(string reason, Func<Task<bool>> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(Limit);
        while (!await condition())
        {
            Assert.False(limit.IsCancellationRequested, $"Did not come true: {reason}");
            await Task.Delay(10, Token);
        }
    }

    [Fact]
    public async Task Get_MissingDocument_IsMissing()
    {
        await using var store = await OpenAsync();
        var document = await store.GetAsync(Key(), Token);
        Assert.False(document.Exists);
        Assert.Equal(Cas.None, document.Cas);
        Assert.True(document.Content.IsEmpty);
    }

    [Fact]
    public async Task Get_SameIdInOtherCollection_IsMissing()
    {
        await using var store = await OpenAsync();
        await store.InsertAsync(Key(), Json("{}"));
        foreach (var collection in Enum.GetValues<DocumentCollection>().Where(c => c != DocumentCollection.Messages))
        {
            Assert.False((await store.GetAsync(new(collection, "a"), Token)).Exists);
            Assert.True((await store.InsertAsync(new(collection, "a"), Json("{}"))).IsApplied);
        }
    }

    [Fact]
    public async Task Get_IdsThatDifferInCaseOrForm_AreDifferentDocuments()
    {
        await using var store = await OpenAsync();
        string[] ids = ["a", "A", "a ", "é", "e\u0301", "t:a/0/1", "t:a/0/10", "ß", "ss", "日本", "a%", "a_", "%", new string('k', DocumentKey.MaxIdBytes)];
        foreach (var id in ids)
        {
            Assert.True((await store.InsertAsync(Key(id), Json($$"""{"n":"{{id}}"}"""))).IsApplied, id);
        }

        foreach (var id in ids)
        {
            Assert.Equal($$"""{"n":"{{id}}"}""", Text(await store.GetAsync(Key(id), Token)));
        }
    }

    [Fact]
    public async Task Get_InsertedBytes_ComeBackExactly()
    {
        await using var store = await OpenAsync();
        byte[][] contents =
        [
            [], [0], [0xEF, 0xBB, 0xBF, (byte)'{', (byte)'}'], Enumerable.Range(0, 256).Select(i => (byte)i).ToArray(),
            Json("""{ "b": 1e400, "b" : "\u0041" }"""), Json("{\"a\":\"\u0000é日\"}"), new byte[300_000],
        ];
        for (var i = 0; i < contents.Length; i++)
        {
            var inserted = await store.InsertAsync(Key($"{i}"), contents[i]);
            var read = await store.GetAsync(Key($"{i}"), Token);
            Assert.True(read.Exists);
            Assert.Equal(inserted.Cas, read.Cas);
            Assert.Equal(contents[i], read.Content.ToArray());
        }
    }

    [Fact]
    public async Task Insert_CallerReusesTheBufferAfterwards_StoredBytesStay()
    {
        await using var store = await OpenAsync();
        var buffer = Json("""{"n":1}""");
        var inserted = await store.InsertAsync(Key(), buffer);
        buffer.AsSpan().Fill((byte)'x');
        Assert.Equal("""{"n":1}""", Text(await store.GetAsync(Key(), Token)));

        buffer = Json("""{"n":2}""");
        await store.ReplaceAsync(Key(), buffer, inserted.Cas);
        buffer.AsSpan().Fill((byte)'x');
        Assert.Equal("""{"n":2}""", Text(await store.GetAsync(Key(), Token)));
    }

    [Fact]
    public async Task Get_ContentReadBeforeAWrite_StaysAsItWas()
    {
        await using var store = await OpenAsync();
        await store.InsertAsync(Key(), Json("""{"n":1}"""));
        var before = await store.GetAsync(Key(), Token);
        await store.IncrementAsync(Key(), new("n"), 1);
        await store.RemoveAsync(Key());
        Assert.Equal("""{"n":1}""", Text(before));
    }

    [Fact]
    public async Task GetMany_SomeMissingSomeTwice_AnswersInTheOrderOfTheKeys()
    {
        await using var store = await OpenAsync();
        const int count = 700;
        for (var i = 0; i < count; i += 2)
        {
            await store.InsertAsync(Key($"{i}"), Json($$"""{"n":{{i}}}"""));
        }

        await store.InsertAsync(new(DocumentCollection.Offsets, "7"), Json("""{"n":"other"}"""));
        var keys = Enumerable.Range(0, count).Reverse().Select(i => Key($"{i}")).Append(Key("4")).Append(new(DocumentCollection.Offsets, "7")).ToArray();
        var documents = await store.GetManyAsync(keys, Token);

        Assert.Equal(keys.Length, documents.Length);
        for (var i = 0; i < count; i++)
        {
            var id = int.Parse(keys[i].Id, CultureInfo.InvariantCulture);
            Assert.Equal(id % 2 == 0, documents[i].Exists);
            Assert.True(id % 2 != 0 || Text(documents[i]) == $$"""{"n":{{id}}}""");
        }

        Assert.Equal("""{"n":4}""", Text(documents[count]));
        Assert.Equal("""{"n":"other"}""", Text(documents[count + 1]));
    }

    [Fact]
    public async Task GetMany_NoKeys_AnswersNothing()
    {
        await using var store = await OpenAsync();
        Assert.Empty(await store.GetManyAsync([], Token));
    }

    [Fact]
    public async Task Epoch_ReadTwice_IsTheSame()
    {
        await using var store = await OpenAsync();
        Assert.Equal(await store.GetEpochAsync(Key(), Token), await store.GetEpochAsync(Key(), Token));
    }

    [Fact]
    public async Task Read_TokenCancelled_Throws()
    {
        await using var store = await OpenAsync();
        var cancelled = new CancellationToken(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.GetAsync(Key(), cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.GetManyAsync([Key()], cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.WaitAsync(Key(), Cas.None, Limit, cancelled));
    }

    [Fact]
    public async Task AnyMember_KeyWithoutIdOrTooLong_ThrowsArgumentException()
    {
        await using var store = await OpenAsync();
        DocumentKey[] bad = [default, Key(""), Key(new string('k', DocumentKey.MaxIdBytes + 1)), Key(new string('日', (DocumentKey.MaxIdBytes / 3) + 1))];
        foreach (var key in bad)
        {
            await Assert.ThrowsAnyAsync<ArgumentException>(async () => await store.GetAsync(key, Token));
            await Assert.ThrowsAnyAsync<ArgumentException>(async () => await store.GetManyAsync([key], Token));
            await Assert.ThrowsAnyAsync<ArgumentException>(async () => await store.InsertAsync(key, Json("{}")));
            await Assert.ThrowsAnyAsync<ArgumentException>(async () => await store.ReplaceAsync(key, Json("{}"), new Cas(1)));
            await Assert.ThrowsAnyAsync<ArgumentException>(async () => await store.RemoveAsync(key));
            await Assert.ThrowsAnyAsync<ArgumentException>(async () => await store.IncrementAsync(key, new("n"), 1));
            await Assert.ThrowsAnyAsync<ArgumentException>(async () => await store.WaitAsync(key, Cas.None, Limit, Token));
        }
    }

    [Fact]
    public async Task AnyMember_AfterDisposal_ThrowsObjectDisposed()
    {
        var store = await OpenAsync();
        await store.DisposeAsync();
        await store.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.GetAsync(Key(), Token));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.GetManyAsync([Key()], Token));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.InsertAsync(Key(), Json("{}")));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.ReplaceAsync(Key(), Json("{}"), new Cas(1)));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.RemoveAsync(Key()));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.IncrementAsync(Key(), new("n"), 1));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.WaitAsync(Key(), Cas.None, Limit, Token));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.GetEpochAsync(Key(), Token));
    }
}

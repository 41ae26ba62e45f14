using Pub.Leases;
using Pub.Storage;
using Pub.Storage.Memory;

namespace Pub.Tests.Storage;

public sealed class CasLoopTests
{
    private static readonly DocumentKey Key = new(DocumentCollection.Leases, "sessions");

    private readonly ScriptedStore _store = new(new MemoryDocumentStore());
    private readonly PubRuntime _runtime = new(seed: 1);

    [Fact]
    public async Task Update_NoDocument_InsertsTheDecision()
    {
        var result = await UpdateAsync(d => Add(d, "a"));

        Assert.True(result.Written);
        Assert.Equal(["a"], (await ReadAsync()).Sessions);
        Assert.Equal((await StoredAsync()).Cas, result.Cas);
    }

    [Fact]
    public async Task Update_NothingToWrite_WritesNothing()
    {
        await UpdateAsync(d => Add(d, "a"));
        var writes = _store.Writes;

        var result = await UpdateAsync(_ => null);

        Assert.False(result.Written);
        Assert.Equal(["a"], result.State!.Sessions);
        Assert.Equal(writes, _store.Writes);
    }

    [Fact]
    public async Task Update_SomebodyWasFaster_DecidesAnewOnWhatTheyWrote()
    {
        await UpdateAsync(d => Add(d, "a"));
        var isFirst = true;

        await UpdateAsync(d =>
        {
            if (isFirst)
            {
                isFirst = false;
                _store.WriteBehindTheBack(Key, LeaseFormats.Directory.Write(Add(d, "b")));
            }

            return Add(d, "c");
        });

        Assert.Equal(["a", "b", "c"], (await ReadAsync()).Sessions);
    }

    [Fact]
    public async Task Update_UnknownButApplied_IsWrittenAgainAndSeesItself()
    {
        _store.Next(applies: true, new OutcomeUnknownException("lost"));

        var result = await UpdateAsync(d => d?.Sessions.Contains("a") == true ? null : Add(d, "a"));

        Assert.True(result.Written);
        Assert.Equal(2, _store.Writes);
        Assert.Equal(["a"], result.State!.Sessions);
        Assert.Equal((await StoredAsync()).Cas, result.Cas);
    }

    [Fact]
    public async Task Update_UnknownThenAlwaysUnavailable_IsUnknown()
    {
        _store.Next(applies: false, new OutcomeUnknownException("lost"));
        _store.AllLater(new StoreUnavailableException("away"));

        await Assert.ThrowsAsync<OutcomeUnknownException>(() => UpdateAsync(d => Add(d, "a"), attempts: 4));
    }

    [Fact]
    public async Task Update_Unavailable_IsThatAtOnce()
    {
        _store.AllLater(new StoreUnavailableException("away"));

        await Assert.ThrowsAsync<StoreUnavailableException>(() => UpdateAsync(d => Add(d, "a")));
        Assert.Equal(1, _store.Writes);
    }

    [Fact]
    public async Task Update_UnknownInsertAndNothingWantedAnyMore_IsUnknown()
    {
        _store.Next(applies: false, new OutcomeUnknownException("lost"));
        var asked = 0;

        await Assert.ThrowsAsync<OutcomeUnknownException>(() => UpdateAsync(d => asked++ == 0 ? Add(d, "a") : null));
    }

    [Fact]
    public async Task Update_AlwaysBeaten_EndsAsUnavailable()
    {
        await UpdateAsync(d => Add(d, "a"));

        await Assert.ThrowsAsync<StoreUnavailableException>(() => UpdateAsync(
            d =>
            {
                _store.WriteBehindTheBack(Key, LeaseFormats.Directory.Write(d!));
                return Add(d, "b");
            },
            attempts: 3));
    }

    [Fact]
    public async Task Update_Cancelled_EndsWithoutAWrite()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new CasLoop(_store, _runtime).UpdateAsync(
            Key, LeaseFormats.Directory, d => Add(d, "a"), default, cancellationToken: cancelled.Token));
        Assert.Equal(0, _store.Writes);
    }

    private static SessionDirectory Add(SessionDirectory? directory, string session) =>
        new() { Sessions = [.. directory?.Sessions ?? [], session] };

    private Task<CasResult<SessionDirectory>> UpdateAsync(Func<SessionDirectory?, SessionDirectory?> decide, int attempts = CasLoop.MaxAttempts) =>
        new CasLoop(_store, _runtime, attempts).UpdateAsync(Key, LeaseFormats.Directory, decide, WriteOptions.Synced);

    private ValueTask<StoredDocument> StoredAsync() => _store.GetAsync(Key, TestContext.Current.CancellationToken);

    private async Task<SessionDirectory> ReadAsync() => LeaseFormats.Directory.Read(Key, await StoredAsync())!;
}

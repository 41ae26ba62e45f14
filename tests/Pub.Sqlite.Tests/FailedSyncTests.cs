using Pub.Storage;

namespace Pub.Sqlite.Tests;

/// <summary>After a sync that failed nobody knows what is on the disk, and a second one that succeeds proves nothing.</summary>
public sealed class FailedSyncTests : IDisposable
{
    private readonly TemporaryFile _file = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _file.Dispose();

    [Fact]
    public async Task Insert_SyncFails_IsUnknownAndNothingIsWrittenUntilTheStoreIsOpenedAnew()
    {
        var fails = false;
        var options = _file.Options;
        options.SyncFault = () => Volatile.Read(ref fails) ? new IOException("no") : null;
        await using (var store = await SqliteDocumentStore.OpenAsync(options, cancellationToken: Token))
        {
            Assert.True((await store.InsertAsync(Key(1), "1"u8.ToArray(), WriteOptions.Synced)).IsApplied);
            Volatile.Write(ref fails, true);
            await Assert.ThrowsAsync<OutcomeUnknownException>(async () => await store.InsertAsync(Key(2), "2"u8.ToArray(), WriteOptions.Synced));
            Volatile.Write(ref fails, false);
            await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.InsertAsync(Key(3), "3"u8.ToArray(), WriteOptions.Synced));
            await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.RemoveAsync(Key(1)));
            Assert.True((await store.GetAsync(Key(1), Token)).Exists);
        }

        await using var again = await _file.OpenAsync();
        Assert.True((await again.InsertAsync(Key(3), "3"u8.ToArray(), WriteOptions.Synced)).IsApplied);
    }

    private static DocumentKey Key(int number) => new(DocumentCollection.Messages, $"t:a/0/{number}");
}

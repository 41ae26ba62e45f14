using Pub.Storage;

namespace Pub.Sqlite.Tests;

/// <summary>Files that are not what they should be: a clear error that names the file, and the file stays as it was.</summary>
public sealed class FileFormatTests : IDisposable
{
    private readonly TemporaryFile _file = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _file.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(10_000)]
    public async Task Open_FileThatIsNoDatabase_IsRefusedAndLeftAlone(int bytes)
    {
        var content = new byte[bytes];
        new Random(1).NextBytes(content);
        await File.WriteAllBytesAsync(_file.Path, content, Token);
        var exception = await Assert.ThrowsAsync<StoreCorruptException>(async () => await _file.OpenAsync());
        Assert.Contains(_file.Path, exception.Message, StringComparison.Ordinal);
        Assert.Equal(content, await File.ReadAllBytesAsync(_file.Path, Token));
    }

    [Fact]
    public async Task Open_DatabaseOfSomethingElse_IsRefusedAndLeftAlone()
    {
        RawFile.Run(_file.Path, "CREATE TABLE customers (name TEXT)");
        var before = await File.ReadAllBytesAsync(_file.Path, Token);
        var exception = await Assert.ThrowsAsync<StoreCorruptException>(async () => await _file.OpenAsync());
        Assert.Contains(_file.Path, exception.Message, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllBytesAsync(_file.Path, Token));
    }

    [Fact]
    public async Task Open_DatabaseMarkedBySomethingElse_IsRefused()
    {
        RawFile.Run(_file.Path, "PRAGMA application_id = 77; CREATE TABLE t (x); DROP TABLE t;");
        await Assert.ThrowsAsync<StoreCorruptException>(async () => await _file.OpenAsync());
    }

    [Fact]
    public async Task Open_NewerFormat_IsRefusedAndNamesBothVersions()
    {
        await (await _file.OpenAsync()).DisposeAsync();
        RawFile.Run(_file.Path, "PRAGMA user_version = 99");
        var exception = await Assert.ThrowsAsync<FormatVersionException>(async () => await _file.OpenAsync());
        Assert.Equal((99, 1), (exception.Found, exception.Supported));
        Assert.Contains(_file.Path, exception.Message, StringComparison.Ordinal);
        Assert.Equal(99L, RawFile.Run(_file.Path, "PRAGMA user_version"));
    }

    [Fact]
    public async Task Open_EmptyFile_IsMadeAStore()
    {
        await File.WriteAllBytesAsync(_file.Path, [], Token);
        await using var store = await _file.OpenAsync();
        Assert.True((await store.InsertAsync(Key(1), "{}"u8.ToArray())).IsApplied);
    }

    [Fact]
    public async Task Open_ManyAtOnceOnANewFile_AllSucceed()
    {
        var stores = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(async () => await _file.OpenAsync(), Token)));
        for (var i = 0; i < stores.Length; i++)
        {
            Assert.True((await stores[i].InsertAsync(Key(i), "{}"u8.ToArray(), WriteOptions.Synced)).IsApplied);
        }

        foreach (var store in stores)
        {
            Assert.All(await store.GetManyAsync([.. Enumerable.Range(0, 6).Select(Key)], Token), document => Assert.True(document.Exists));
            await store.DisposeAsync();
        }
    }

    [Fact]
    public async Task Read_DamagedPages_SaysSo()
    {
        await using (var store = await _file.OpenAsync())
        {
            for (var i = 0; i < 200; i++)
            {
                await store.InsertAsync(Key(i), new byte[2_000]);
            }
        }

        await using (var file = File.OpenWrite(_file.Path))
        {
            file.Seek(30 * 4096, SeekOrigin.Begin);
            var garbage = new byte[100 * 4096];
            Array.Fill(garbage, (byte)0xEE);
            await file.WriteAsync(garbage, Token);
        }

        await using var opened = await _file.OpenAsync();
        var exception = await Assert.ThrowsAsync<StoreCorruptException>(async () => await opened.GetManyAsync([.. Enumerable.Range(0, 200).Select(Key)], Token));
        Assert.Contains(_file.Path, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_ReopenedFile_HasEverythingAndNewVersions()
    {
        WriteResult first;
        await using (var store = await _file.OpenAsync())
        {
            first = await store.InsertAsync(Key(1), "1"u8.ToArray());
            await store.RemoveAsync(Key(1));
            await store.InsertAsync(Key(2), "2"u8.ToArray());
        }

        await using var again = await _file.OpenAsync();
        Assert.True((await again.GetAsync(Key(2), Token)).Exists);
        Assert.NotEqual(first.Cas, (await again.InsertAsync(Key(1), "1"u8.ToArray())).Cas);
        Assert.Equal(WriteStatus.Moved, (await again.ReplaceAsync(Key(1), "2"u8.ToArray(), first.Cas)).Status);
    }

    [Fact]
    public async Task Open_MissingDirectoryOrDirectory_SaysWhatToDo()
    {
        var missing = new SqliteStoreOptions { Path = Path.Combine(_file.DirectoryPath, "none", "pub.db") };
        var exception = await Assert.ThrowsAsync<PubException>(async () => await SqliteDocumentStore.OpenAsync(missing, cancellationToken: Token));
        Assert.Contains(missing.Path, exception.Message, StringComparison.Ordinal);
        Assert.False(exception.IsTransient);

        var directory = new SqliteStoreOptions { Path = _file.DirectoryPath };
        exception = await Assert.ThrowsAsync<PubException>(async () => await SqliteDocumentStore.OpenAsync(directory, cancellationToken: Token));
        Assert.Contains(_file.DirectoryPath, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_ReadOnlyFile_SaysSo()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess, "A privileged user may write to everything.");
        await (await _file.OpenAsync()).DisposeAsync();
#pragma warning disable CA1416 // skipped on Windows
        File.SetUnixFileMode(_file.Path, UnixFileMode.UserRead);
#pragma warning restore CA1416
        var exception = await Assert.ThrowsAsync<PubException>(async () => await _file.OpenAsync());
        Assert.Contains(_file.Path, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Write_FileHeldByOthers_EndsAsUnavailableAndGoesOnAfterwards()
    {
        var options = _file.Options;
        options.BusyTimeout = TimeSpan.FromMilliseconds(50);
        await using var store = await SqliteDocumentStore.OpenAsync(options, cancellationToken: Token);
        await store.InsertAsync(Key(1), "1"u8.ToArray());
        using (var other = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={_file.Path};Pooling=False"))
        {
            other.Open();
            using var transaction = other.BeginTransaction(deferred: false);
            await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.InsertAsync(Key(2), "2"u8.ToArray()));
            Assert.True((await store.GetAsync(Key(1), Token)).Exists); // reads go on
        }

        Assert.True((await store.InsertAsync(Key(2), "2"u8.ToArray())).IsApplied);
    }

    [Fact]
    public async Task Open_SettingsOutOfRange_NamesThemAll()
    {
        var options = new SqliteStoreOptions { Path = " ", CacheBytes = 0, BusyTimeout = TimeSpan.FromSeconds(-1), Synchronous = (SqliteSynchronous)9 };
        var exception = await Assert.ThrowsAsync<ArgumentException>(async () => await SqliteDocumentStore.OpenAsync(options, cancellationToken: Token));
        foreach (var name in new[] { "Path", "CacheBytes", "BusyTimeout", "Synchronous" })
        {
            Assert.Contains(name, exception.Message, StringComparison.Ordinal);
        }
    }

    private static DocumentKey Key(int number) => new(DocumentCollection.Messages, $"t:a/0/{number}");
}

namespace Pub.Sqlite.Tests;

/// <summary>A directory of its own for one test, removed with all that is in it.</summary>
internal sealed class TemporaryFile : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("pub-sqlite-");

    public string Path => System.IO.Path.Combine(_directory.FullName, "pub.db");

    public string DirectoryPath => _directory.FullName;

    public SqliteStoreOptions Options => new() { Path = Path };

    public async ValueTask<SqliteDocumentStore> OpenAsync(TimeProvider? time = null) => await SqliteDocumentStore.OpenAsync(Options, time);

    public void Dispose()
    {
        try
        {
            _directory.Delete(recursive: true);
        }
        catch (IOException)
        {
            // A killed child may still be closing the file.
        }
    }
}

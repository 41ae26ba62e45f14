using Pub.Storage;
using Pub.Testing.Storage;

namespace Pub.Sqlite.Tests;

public sealed class SqliteDocumentStoreTests : DocumentStoreContract, IDisposable
{
    private readonly TemporaryFile _file = new();

    protected override async ValueTask<IDocumentStore> OpenAsync() => await _file.OpenAsync();

    public void Dispose() => _file.Dispose();
}

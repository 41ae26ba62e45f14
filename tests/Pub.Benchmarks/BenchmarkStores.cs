using Pub.Sqlite;
using Pub.Storage;
using Pub.Storage.Memory;

namespace Pub.Benchmarks;

/// <summary>Opens a fresh store for one measurement; a file goes with it.</summary>
internal sealed class BenchmarkStore : IAsyncDisposable
{
    private readonly string? _folder;

    private BenchmarkStore(string name, IDocumentStore inner, string? folder)
    {
        Name = name;
        Inner = inner;
        Counting = new CountingStore(inner);
        _folder = folder;
    }

    public static IReadOnlyList<string> Names { get; } = ["memory", "sqlite"];

    public string Name { get; }

    public IDocumentStore Inner { get; }

    public CountingStore Counting { get; }

    public string? Path => _folder is null ? null : System.IO.Path.Combine(_folder, "bench.db");

    public static async Task<BenchmarkStore> OpenAsync(string name)
    {
        if (name == "memory")
        {
            return new BenchmarkStore(name, new MemoryDocumentStore(), null);
        }

        var folder = Directory.CreateTempSubdirectory("pub-bench-").FullName;
        var store = await SqliteDocumentStore.OpenAsync(new SqliteStoreOptions { Path = System.IO.Path.Combine(folder, "bench.db") });
        return new BenchmarkStore(name, store, folder);
    }

    public async ValueTask DisposeAsync()
    {
        await Inner.DisposeAsync();
        if (_folder is not null)
        {
            Directory.Delete(_folder, recursive: true);
        }
    }
}

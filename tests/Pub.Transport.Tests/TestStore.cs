using Microsoft.Extensions.DependencyInjection;

namespace Pub.Transport.Tests;

/// <summary>A store that the specs run on; one for each test. Several processes' worth of services can share it, if it <see cref="IsShared"/>.</summary>
public interface ITestStore : IDisposable
{
    /// <summary>Whether a second container sees what the first wrote.</summary>
    static abstract bool IsShared { get; }

    void Register(IServiceCollection services);
}

public sealed class MemoryStore : ITestStore
{
    public static bool IsShared => false;

    public void Register(IServiceCollection services) => services.AddPubInMemory();

    public void Dispose()
    {
    }
}

public sealed class SqliteStore : ITestStore
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("pub-transport-");

    public static bool IsShared => true;

    public void Register(IServiceCollection services) => services.AddPubSqlite(Path.Combine(_directory.FullName, "pub.db"));

    public void Dispose()
    {
        try
        {
            _directory.Delete(recursive: true);
        }
        catch (IOException)
        {
            // still being closed
        }
    }
}

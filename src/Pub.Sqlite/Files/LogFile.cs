using Microsoft.Win32.SafeHandles;

namespace Pub.Sqlite.Files;

/// <summary>
/// Syncs the write-ahead log. SQLite's connection runs with <c>synchronous = NORMAL</c>, which syncs before the log is moved into the file but not
/// after each transaction; whether a transaction needs that is known only at its end, when SQLite no longer lets the setting be changed.
/// </summary>
/// <remarks>The log's file lives as long as any connection is open. It carries no locks, so a second handle on it is harmless.</remarks>
internal sealed class LogFile(string path, Func<IOException?>? fault = null) : IDisposable
{
    private SafeFileHandle? _handle;

    /// <summary>How often the log was synced.</summary>
    public long Syncs { get; private set; }

    /// <exception cref="IOException">The disk did not take what was written; nobody knows how much of it.</exception>
    public void Sync()
    {
        _handle ??= File.OpenHandle(path + "-wal", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        RandomAccess.FlushToDisk(_handle);
        if (fault?.Invoke() is { } exception)
        {
            throw exception;
        }

        Syncs++;
    }

    public void Dispose() => _handle?.Dispose();
}

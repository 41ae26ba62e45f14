using Pub.Sqlite.Files;

namespace Pub.Sqlite.Waiting;

/// <summary>
/// Notices that other processes have written to the file: asks SQLite on the writer's connection, for which its own writes do not count. At each
/// transaction, and at intervals while somebody waits and nothing is written. The writer's thread only.
/// </summary>
internal sealed class FileWatch(DocumentConnection connection, WaiterTable waiters, ForeignChanges changes, TimeSpan interval, TimeProvider time)
{
    private const int AlertFactor = 4;

    // Where one foreign write came, the next is near: it is looked for more often.
    private static readonly TimeSpan Alert = TimeSpan.FromMilliseconds(250);

    private readonly int _interval = (int)interval.TotalMilliseconds;
    private long _version = ReadVersion(connection);
    private long _noticed;

    /// <exception cref="SqliteFailureException">The file cannot be read.</exception>
    public void Look()
    {
        var version = ReadVersion(connection);
        if (version != _version)
        {
            (_version, _noticed) = (version, time.GetTimestamp());
            changes.Noticed();
        }
    }

    /// <summary>Milliseconds until somebody should look; for ever while nobody waits.</summary>
    public int UntilNextLook()
    {
        if (waiters.IsEmpty)
        {
            return Timeout.Infinite;
        }

        var isAlert = _noticed != 0 && time.GetElapsedTime(_noticed) < Alert;
        return isAlert ? Math.Max(1, _interval / AlertFactor) : _interval;
    }

    private static long ReadVersion(DocumentConnection connection) => connection.Cached(DocumentSql.DataVersion).ReadNumber() ?? 0;
}

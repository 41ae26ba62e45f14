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

    // Where none came for this long, the first one may wait somewhat longer: an idle process is to cost next to nothing.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(10);
    private const double QuietFactor = 4;

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

        var silence = _noticed == 0 ? TimeSpan.MaxValue : time.GetElapsedTime(_noticed);
        return silence < Alert ? Math.Max(1, _interval / AlertFactor) : silence < Quiet ? _interval : (int)(_interval * QuietFactor);
    }

    private static long ReadVersion(DocumentConnection connection) => connection.Cached(DocumentSql.DataVersion).ReadNumber() ?? 0;
}

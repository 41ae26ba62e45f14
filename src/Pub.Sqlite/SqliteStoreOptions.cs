namespace Pub.Sqlite;

/// <summary>When a durable write is answered.</summary>
public enum SqliteSynchronous
{
    /// <summary>After the file was synced to disk: a confirmed write survives a power cut. Costs one sync for all writes that gathered meanwhile.</summary>
    Synced,

    /// <summary>
    /// After the write reached the operating system: a confirmed write survives a crash or <c>kill -9</c> of the process, but a power cut or a
    /// crash of the machine loses the last confirmed writes (always the latest ones, never one in the middle; the file stays whole).
    /// </summary>
    Relaxed,
}

/// <summary>Settings of the embedded store. Checked once, when the store is opened.</summary>
public sealed class SqliteStoreOptions
{
    /// <summary>The file. It is made if it does not exist; its directory must exist. Beside it live <c>-wal</c> and <c>-shm</c>, which belong to it.</summary>
    public string Path { get; set; } = "pub.db";

    /// <summary>When a durable write is answered. Default: <see cref="SqliteSynchronous.Synced"/>.</summary>
    public SqliteSynchronous Synchronous { get; set; } = SqliteSynchronous.Synced;

    /// <summary>
    /// Memory for pages of the file, all connections together, in bytes. Default 32 MB, from 1 MB to 4 GB. Half is the writer's; what does not fit is
    /// read through the operating system's own cache.
    /// </summary>
    public long CacheBytes { get; set; } = 32 << 20;

    /// <summary>
    /// How long a write waits while other processes hold the file, before it fails with <see cref="StoreUnavailableException"/>. Default 10 s, from 0 to 10 minutes.
    /// </summary>
    public TimeSpan BusyTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How often the file is asked for other processes' writes while somebody waits for a document. Default 10 ms, from 1 ms to 10 s. It is the
    /// delay, on average half of it, of a message between processes after a silence; for a quarter of a second after each such write the file is asked four times as
    /// often, and after ten seconds without one a quarter as often. A question costs some 50 µs, mostly the waking up. Nobody waiting: no question.
    /// </summary>
    public TimeSpan WatchInterval { get; set; } = TimeSpan.FromMilliseconds(10);

    /// <summary>How often documents past their time to live are removed. Default 30 s, from 100 ms to 1 day. They are hidden at once, whatever this says.</summary>
    public TimeSpan SweepInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How large the write-ahead log may grow before it is moved into the file, in bytes. Default 16 MB, from 256 kB to 1 GB; under steady load the log takes up to
    /// about three times as much. Larger: fewer writes to the disk; longer opening after a crash.
    /// </summary>
    public long LogBytes { get; set; } = 16 << 20;

    /// <summary>For tests of a full disk: the most pages that the file may have.</summary>
    internal long? MaxPages { get; set; }

    /// <summary>For tests of a failing disk: what a sync throws, if anything.</summary>
    internal Func<IOException?>? SyncFault { get; set; }

    /// <exception cref="ArgumentException">Names every setting that is out of its range.</exception>
    internal void Validate()
    {
        if (FindFaults() is { } faults)
        {
            throw new ArgumentException($"SqliteStoreOptions: {faults}");
        }
    }

    /// <summary>All faults in one message; null if there is none.</summary>
    internal string? FindFaults()
    {
        var faults = new List<string>();
        if (string.IsNullOrWhiteSpace(Path) || Path.Contains('\0', StringComparison.Ordinal))
        {
            faults.Add($"{nameof(Path)} must name a file");
        }

        if (!Enum.IsDefined(Synchronous))
        {
            faults.Add($"{nameof(Synchronous)} is {Synchronous}; allowed are {nameof(SqliteSynchronous.Synced)} and {nameof(SqliteSynchronous.Relaxed)}");
        }

        Check(faults, nameof(CacheBytes), CacheBytes, 1 << 20, 4L << 30);
        Check(faults, nameof(LogBytes), LogBytes, 256 << 10, 1L << 30);
        Check(faults, nameof(BusyTimeout), BusyTimeout, TimeSpan.Zero, TimeSpan.FromMinutes(10));
        Check(faults, nameof(WatchInterval), WatchInterval, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(10));
        Check(faults, nameof(SweepInterval), SweepInterval, TimeSpan.FromMilliseconds(100), TimeSpan.FromDays(1));
        return faults.Count == 0 ? null : string.Join("; ", faults) + ".";
    }

    internal SqliteStoreOptions Copy() => (SqliteStoreOptions)MemberwiseClone();

    private static void Check<T>(List<string> faults, string name, T value, T lowest, T highest)
        where T : IComparable<T>
    {
        if (value.CompareTo(lowest) < 0 || value.CompareTo(highest) > 0)
        {
            faults.Add($"{name} is {value}; allowed is from {lowest} to {highest}");
        }
    }
}

using SQLitePCL;

namespace Pub.Sqlite.Files;

/// <summary>SQLite said something else than what was hoped for; becomes a <see cref="PubException"/> at the edge (<see cref="SqliteErrors"/>).</summary>
internal sealed class SqliteFailureException(int code, string message) : Exception(message)
{
    /// <summary>The primary result code.</summary>
    public int Code { get; } = code & 0xFF;
}

/// <summary>The one place where SQLite's result codes become exceptions of Pub.</summary>
internal static class SqliteErrors
{
    public static bool IsBusy(int code) => (code & 0xFF) is raw.SQLITE_BUSY or raw.SQLITE_LOCKED;

    /// <summary>
    /// Whether a transaction that failed with this while it was being sealed certainly did not happen: the log's last frame, which alone makes it
    /// valid, was not written. After anything else it may come to life again at the next opening.
    /// </summary>
    public static bool IsCertainlyUndone(int code) => code is raw.SQLITE_FULL || IsBusy(code);

    public static PubException ToPubException(string path, SqliteFailureException failure) => failure.Code switch
    {
        raw.SQLITE_FULL => new StoreFullException($"There is no room left for '{path}'. Nothing of the operation was written; free some space and try again.", failure),
        raw.SQLITE_CORRUPT => new StoreCorruptException($"'{path}' is damaged: {failure.Message}. Restore it from a backup.", failure),
        raw.SQLITE_NOTADB => new StoreCorruptException($"'{path}' was not made by Pub: it is no SQLite file, or damaged at its beginning.", failure),
        raw.SQLITE_READONLY => new PubException($"'{path}' or its directory is read-only; the store must be able to write both.", failure),
        raw.SQLITE_CANTOPEN or raw.SQLITE_PERM or raw.SQLITE_AUTH =>
            new PubException($"'{path}' cannot be opened ({failure.Message}). Its directory must exist, and both must be readable and writable.", failure),
        _ => new StoreUnavailableException($"'{path}': {failure.Message}. The operation did not happen.", failure),
    };

    public static PubException Unknown(string path, Exception failure) =>
        new OutcomeUnknownException($"'{path}': {failure.Message}. The write may or may not be on the disk.", failure);

    public static StoreUnavailableException Busy(string path, TimeSpan waited) =>
        new($"'{path}' was held by other processes for {waited.TotalSeconds:0.#} s (BusyTimeout). The operation did not happen.");
}

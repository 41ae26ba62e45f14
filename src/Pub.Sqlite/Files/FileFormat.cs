using Microsoft.Data.Sqlite;

namespace Pub.Sqlite.Files;

/// <summary>Makes a new file, or finds out whether an existing one is Pub's and can be read. A file that is not is never written to.</summary>
internal static class FileFormat
{
    private const int SmallestDatabaseBytes = 512;

    // Never open the file in any other way than through SQLite: closing a second handle would drop this process's locks on it (POSIX).
    /// <summary>Answers the connection that may write. The caller tries again while <see cref="SqliteErrors.IsBusy"/>.</summary>
    public static DocumentConnection OpenWriter(string path)
    {
        CheckPlace(path);
        var connection = DocumentConnection.Open(path, SqliteOpenMode.ReadWriteCreate);
        try
        {
            if (!IsFormatted(connection, path))
            {
                Make(connection, path);
            }

            connection.Run("PRAGMA journal_mode = WAL");
            connection.Run("PRAGMA synchronous = NORMAL"); // the log is synced by LogFile, after the transaction and not within it
            connection.Run("PRAGMA wal_autocheckpoint = 0"); // LogDrain moves the log into the file
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static void CheckPlace(string path)
    {
        var directory = Path.GetDirectoryName(Path.GetFullPath(path));
        if (!Directory.Exists(directory))
        {
            throw new PubException($"The directory of '{path}' does not exist. Make it, or name another file (SqliteStoreOptions.Path).");
        }

        if (Directory.Exists(path))
        {
            throw new PubException($"'{path}' is a directory; SqliteStoreOptions.Path must name a file.");
        }

        // SQLite takes a very short file for an empty one, and would write over it.
        var file = new FileInfo(path);
        if (file.Exists && file.Length is > 0 and < SmallestDatabaseBytes)
        {
            throw new StoreCorruptException($"'{path}' was not made by Pub: it is no SQLite file. Name another file (SqliteStoreOptions.Path).");
        }
    }

    private static bool IsFormatted(DocumentConnection connection, string path)
    {
        var application = connection.Run("PRAGMA application_id");
        var version = (int)connection.Run("PRAGMA user_version").GetValueOrDefault();
        if (application == DocumentSql.ApplicationId)
        {
            return version <= DocumentSql.FormatVersion ? true : throw new FormatVersionException($"The file '{path}'", version, DocumentSql.FormatVersion);
        }

        if (application != 0 || version != 0 || connection.Run("SELECT count(*) FROM sqlite_master") != 0)
        {
            throw new StoreCorruptException($"'{path}' is a SQLite file that was not made by Pub. Name another file (SqliteStoreOptions.Path).");
        }

        return false;
    }

    private static void Make(DocumentConnection connection, string path)
    {
        connection.Run($"PRAGMA page_size = {DocumentSql.PageBytes}");
        connection.Run("PRAGMA journal_mode = WAL");
        connection.Run(DocumentSql.Begin);
        if (!IsFormatted(connection, path)) // another process may have been faster
        {
            foreach (var statement in DocumentSql.Create())
            {
                connection.Run(statement);
            }
        }

        connection.Run(DocumentSql.End);
    }
}

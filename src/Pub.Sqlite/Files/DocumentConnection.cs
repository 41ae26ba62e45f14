using Microsoft.Data.Sqlite;
using Pub.Storage;
using SQLitePCL;

namespace Pub.Sqlite.Files;

/// <summary>One connection with its prepared statements. One thread at a time.</summary>
internal sealed class DocumentConnection : IDisposable
{
    private static readonly int Commands = Enum.GetValues<DocumentCommand>().Length;

    // Readers wait only while another process recovers the log after a crash.
    private const int ReaderBusyMilliseconds = 5_000;

    private readonly SqliteConnection _connection;
    private readonly Statement?[] _documentStatements = new Statement?[DocumentSql.Collections * Commands];
    private readonly Dictionary<string, Statement> _statements = new(StringComparer.Ordinal);

    private DocumentConnection(SqliteConnection connection) => _connection = connection;

    public sqlite3 Handle => _connection.Handle!;

    /// <summary>Opens the file; never makes one unless <paramref name="mode"/> says so.</summary>
    /// <exception cref="SqliteFailureException">The file cannot be opened.</exception>
    public static DocumentConnection Open(string path, SqliteOpenMode mode)
    {
        var text = new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = false, DefaultTimeout = 1 };
        var connection = new SqliteConnection(text.ToString());
        try
        {
            connection.Open();
            var opened = new DocumentConnection(connection);
            raw.sqlite3_extended_result_codes(opened.Handle, 0);
            return opened;
        }
        catch (SqliteException exception)
        {
            connection.Dispose();
            throw new SqliteFailureException(exception.SqliteErrorCode, exception.Message);
        }
    }

    /// <summary>Opens one of the connections that only read.</summary>
    public static DocumentConnection OpenReader(string path, long cacheBytes)
    {
        var connection = Open(path, SqliteOpenMode.ReadOnly);
        connection.Run("PRAGMA query_only = 1");
        connection.SetCache(cacheBytes);
        connection.SetBusyTimeout(ReaderBusyMilliseconds);
        return connection;
    }

    public void SetCache(long bytes) => Run($"PRAGMA cache_size = -{bytes / 1024}");

    public void SetBusyTimeout(int milliseconds) => raw.sqlite3_busy_timeout(Handle, milliseconds);

    /// <summary>Pages written since the last call.</summary>
    public int TakePagesWritten()
    {
        raw.sqlite3_db_status(Handle, raw.SQLITE_DBSTATUS_CACHE_WRITE, out var pages, out _, 1);
        return pages;
    }

    /// <summary>Moves the log into the file as far as readers allow; with <paramref name="restart"/> it is then written from its beginning again.</summary>
    /// <returns>Pages in the log, and how many of them were moved.</returns>
    public (int Logged, int Moved) Drain(bool restart)
    {
        var mode = restart ? raw.SQLITE_CHECKPOINT_RESTART : raw.SQLITE_CHECKPOINT_PASSIVE;
        var code = raw.sqlite3_wal_checkpoint_v2(Handle, "main", mode, out var logged, out var moved);
        return code == raw.SQLITE_OK || SqliteErrors.IsBusy(code)
            ? (logged, moved)
            : throw new SqliteFailureException(code, raw.sqlite3_errmsg(Handle).utf8_to_string());
    }

    public Statement Document(DocumentCollection collection, DocumentCommand command)
    {
        var index = ((int)collection * Commands) + (int)command;
        return _documentStatements[index] ??= Prepare(DocumentSql.Text(collection, command));
    }

    public Statement Cached(string sql)
    {
        if (!_statements.TryGetValue(sql, out var statement))
        {
            _statements[sql] = statement = Prepare(sql);
        }

        return statement;
    }

    /// <summary>Runs a statement that is needed again.</summary>
    public void RunCached(string sql) => Cached(sql).Execute();

    /// <summary>Runs a statement once.</summary>
    public long? Run(string sql)
    {
        using var statement = Prepare(sql);
        return statement.ReadNumber();
    }

    /// <summary>Whether a transaction is open. SQLite ends one by itself after some errors.</summary>
    public bool InTransaction => raw.sqlite3_get_autocommit(Handle) == 0;

    public void Dispose()
    {
        foreach (var statement in _documentStatements)
        {
            statement?.Dispose();
        }

        foreach (var statement in _statements.Values)
        {
            statement.Dispose();
        }

        _connection.Dispose();
    }

    private Statement Prepare(string sql)
    {
        var code = raw.sqlite3_prepare_v2(Handle, sql, out var statement);
        return code == raw.SQLITE_OK
            ? new Statement(Handle, statement)
            : throw new SqliteFailureException(code, raw.sqlite3_errmsg(Handle).utf8_to_string());
    }
}

using Pub.Storage;

namespace Pub.Sqlite.Files;

/// <summary>What is done with a document in SQL.</summary>
internal enum DocumentCommand
{
    Read,
    ReadVersion,
    Insert,
    Replace,
    Overwrite,
    Remove,
    RemoveExpired,
}

/// <summary>
/// The tables and every statement (docs/decisions/0010-sqlite-store.md): one table per collection, with a tree for ids beside the tree for content:
/// in a tree of ids that holds the content too, SQLite reads whole contents to compare ids.
/// Moments are Unix milliseconds; a document whose <c>expires</c> is not above now counts as missing.
/// </summary>
internal static class DocumentSql
{
    /// <summary>"Pub1": marks the file as Pub's.</summary>
    public const int ApplicationId = 0x50756231;

    /// <summary>The format that this program writes. Raise it with a step in <see cref="FileFormat"/> that turns the older format into it.</summary>
    public const int FormatVersion = 1;

    public const int PageBytes = 8192;

    /// <summary>Versions are taken from the file in blocks, so that a transaction need not write the sequence.</summary>
    public const long CasBlock = 1 << 20;

    public const string Begin = "BEGIN IMMEDIATE";
    public const string BeginRead = "BEGIN";
    public const string End = "COMMIT";
    public const string Undo = "ROLLBACK";
    public const string DataVersion = "PRAGMA data_version";
    public const string ReadEpoch = "SELECT value FROM store WHERE name = 'epoch'";
    public const string RaiseEpoch = "UPDATE store SET value = value + 1 WHERE name = 'epoch' RETURNING value";
    public static readonly string TakeCasBlock = $"UPDATE store SET value = value + {CasBlock} WHERE name = 'cas' RETURNING value";

    private static readonly string[] Tables = ["messages", "cursors", "offsets", "leases", "topology", "schedules"];

    public static int Collections => Tables.Length;

    public static IEnumerable<string> Create()
    {
        yield return "CREATE TABLE store (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID";
        yield return "INSERT INTO store VALUES ('cas', 0), ('epoch', 0)";
        foreach (var table in Tables)
        {
            yield return $"CREATE TABLE {table} (id TEXT NOT NULL PRIMARY KEY, cas INTEGER NOT NULL, expires INTEGER, content BLOB NOT NULL)";
            yield return $"CREATE INDEX {table}_expires ON {table} (expires) WHERE expires IS NOT NULL";
        }

        yield return $"PRAGMA application_id = {ApplicationId}";
        yield return $"PRAGMA user_version = {FormatVersion}";
    }

    public static string Text(DocumentCollection collection, DocumentCommand command)
    {
        var table = Tables[(int)collection];
        return command switch
        {
            DocumentCommand.Read => $"SELECT cas, content FROM {table} WHERE id = ?1 AND (expires IS NULL OR expires > ?2)",
            DocumentCommand.ReadVersion => $"SELECT cas FROM {table} WHERE id = ?1 AND (expires IS NULL OR expires > ?2)",
            DocumentCommand.Insert =>
                $"INSERT INTO {table} (id, cas, expires, content) VALUES (?1, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE SET cas = excluded.cas, " +
                "expires = excluded.expires, content = excluded.content WHERE expires <= ?2",
            DocumentCommand.Replace =>
                $"UPDATE {table} SET cas = ?3, expires = ?4, content = ?5 WHERE id = ?1 AND cas = ?6 AND (expires IS NULL OR expires > ?2)",
            DocumentCommand.Overwrite => $"UPDATE {table} SET cas = ?2, content = ?3 WHERE id = ?1",
            DocumentCommand.Remove => $"DELETE FROM {table} WHERE id = ?1 AND (?3 = 0 OR cas = ?3) AND (expires IS NULL OR expires > ?2)",
            DocumentCommand.RemoveExpired =>
                $"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE expires IS NOT NULL AND expires <= ?1 LIMIT ?2) RETURNING id",
            _ => throw new ArgumentOutOfRangeException(nameof(command)),
        };
    }
}

using Microsoft.Data.Sqlite;

namespace Pub.Sqlite.Tests;

/// <summary>Looks at a file, or spoils it, around the store.</summary>
internal static class RawFile
{
    public static object? Run(string path, string sql)
    {
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    public static long Count(string path, string table) => (long)Run(path, $"SELECT count(*) FROM {table}")!;

    public static void AssertSound(string path) => Assert.Equal("ok", Run(path, "PRAGMA integrity_check"));
}

using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Pub.Storage;

namespace Pub.Benchmarks;

/// <summary>What the machine and the stores can do at all, beside which the other tables are read.</summary>
internal static class RawLimits
{
    public static async Task<MarkdownTable> MeasureAsync()
    {
        var table = new MarkdownTable("Raw limits in the same run", "what", "result");
        table.Add("write 4 KB at the end of a file and sync, p50", $"{await SyncAsync():F3} ms");
        var (perSecond, rows) = SqliteRaw();
        table.Add("SQLite by itself, one 400-byte row a synced transaction", $"{perSecond:N0} transactions/s");
        table.Add("SQLite by itself, 100 rows a synced transaction", $"{rows:N0} rows/s");
        foreach (var name in BenchmarkStore.Names)
        {
            await using var store = await BenchmarkStore.OpenAsync(name);
            table.Add($"{name} store: durable insert of 16 KB, 64 callers", $"{await InsertsAsync(store.Inner, 16_000, 64):N0}/s");
            table.Add($"{name} store: increment in one topic document, 64 callers", $"{await IncrementsAsync(store.Inner, 64):N0}/s");
            table.Add($"{name} store: durable insert of 400 bytes, one caller, p50", $"{await LoneInsertAsync(store.Inner):F3} ms");
        }

        return table;
    }

    public static async Task<double> SyncAsync()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("pub-bench-").FullName, "sync");
        var times = new List<double>();
        await using (var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1))
        {
            var block = new byte[4096];
            for (var i = 0; i < 500; i++)
            {
                var start = Stopwatch.GetTimestamp();
                file.Write(block);
                file.Flush(flushToDisk: true);
                times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
        }

        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        return Median(times);
    }

    private static (double Transactions, double Rows) SqliteRaw()
    {
        var folder = Directory.CreateTempSubdirectory("pub-bench-").FullName;
        double transactions, rows;
        using (var connection = new SqliteConnection($"Data Source={Path.Combine(folder, "raw.db")};Pooling=False"))
        {
            connection.Open();
            Execute(connection, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t(id INTEGER PRIMARY KEY, body BLOB)");
            transactions = Insert(connection, 1_000, 1);
            rows = Insert(connection, 500, 100) * 100;
        }

        Directory.Delete(folder, recursive: true);
        return (transactions, rows);
    }

    private static double Insert(SqliteConnection connection, int transactions, int rows)
    {
        using var insert = connection.CreateCommand();
        insert.CommandText = "INSERT INTO t(body) VALUES ($body)";
        insert.Parameters.Add("$body", SqliteType.Blob).Value = new byte[400];
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < transactions; i++)
        {
            using var transaction = connection.BeginTransaction();
            insert.Transaction = transaction;
            for (var row = 0; row < rows; row++)
            {
                insert.ExecuteNonQuery();
            }

            transaction.Commit();
        }

        return transactions / clock.Elapsed.TotalSeconds;
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static async Task<double> InsertsAsync(IDocumentStore store, int bytes, int callers)
    {
        const int each = 100;
        var content = Bodies.OfSize(bytes);
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(async () =>
        {
            for (var i = 0; i < each; i++)
            {
                await store.InsertAsync(new DocumentKey(DocumentCollection.Messages, $"raw/{caller}/{i}"), content, WriteOptions.Synced);
            }
        })));
        return callers * each / clock.Elapsed.TotalSeconds;
    }

    private static async Task<double> IncrementsAsync(IDocumentStore store, int callers)
    {
        const int each = 1_000;
        var key = new DocumentKey(DocumentCollection.Offsets, "raw");
        await store.InsertAsync(key, "{\"v\":1,\"tails\":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}"u8.ToArray(), WriteOptions.Synced);
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(async () =>
        {
            for (var i = 0; i < each; i++)
            {
                await store.IncrementAsync(key, new CounterPath("tails", caller % 16), 1);
            }
        })));
        return callers * each / clock.Elapsed.TotalSeconds;
    }

    private static async Task<double> LoneInsertAsync(IDocumentStore store)
    {
        var content = Bodies.OfSize(400);
        var times = new List<double>();
        for (var i = 0; i < 500; i++)
        {
            var start = Stopwatch.GetTimestamp();
            await store.InsertAsync(new DocumentKey(DocumentCollection.Messages, $"lone/{i}"), content, WriteOptions.Synced);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        return Median(times);
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}

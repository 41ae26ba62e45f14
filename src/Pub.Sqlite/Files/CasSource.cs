using Pub.Storage;

namespace Pub.Sqlite.Files;

/// <summary>
/// Hands out versions that nobody else ever hands out: from blocks of the file's one sequence. A block is used only after the transaction that
/// took it was sealed, so neither a transaction that was undone nor a kill can bring a version back.
/// </summary>
/// <remarks>The writer's thread only. <c>_next ≤ _end</c>; <c>_end</c> never falls; a block holds more versions than two transactions can need.</remarks>
internal sealed class CasSource
{
    private long _next;
    private long _end;
    private long _spareEnd;
    private long _takenEnd;

    private CasSource(long end) => (_next, _end) = (end - DocumentSql.CasBlock, end);

    /// <summary>Takes the first block, in a transaction of its own.</summary>
    public static CasSource Open(DocumentConnection connection)
    {
        connection.RunCached(DocumentSql.Begin);
        var end = Take(connection);
        connection.RunCached(DocumentSql.End);
        return new CasSource(end);
    }

    public Cas Next()
    {
        if (_next == _end)
        {
            if (_spareEnd == 0)
            {
                throw new InvariantException("A transaction used more versions than were taken for it.");
            }

            (_next, _end, _spareEnd) = (_spareEnd - DocumentSql.CasBlock, _spareEnd, 0);
        }

        return new Cas((ulong)++_next);
    }

    /// <summary>Within an open transaction: takes a block if the next transactions could need one.</summary>
    public void TakeIfLow(DocumentConnection connection)
    {
        if (_spareEnd == 0 && _end - _next < DocumentSql.CasBlock / 2)
        {
            _takenEnd = Take(connection);
        }
    }

    public void OnSealed() => (_spareEnd, _takenEnd) = (_takenEnd == 0 ? _spareEnd : _takenEnd, 0);

    public void OnUndone() => _takenEnd = 0;

    private static long Take(DocumentConnection connection) =>
        connection.Cached(DocumentSql.TakeCasBlock).ReadNumber()
        ?? throw new SqliteFailureException(SQLitePCL.raw.SQLITE_CORRUPT, "the sequence of versions is missing");
}

using Pub.Storage;

namespace Pub.Sqlite.Files;

/// <summary>
/// Hands out versions that nobody else ever hands out: from blocks of the file's one sequence. A block is used only after the transaction of its
/// own that took it was sealed, so neither a transaction that was undone nor a kill can bring a version back.
/// </summary>
/// <remarks>The writer's thread only. <c>_next ≤ _end</c>; at most one spare block. Empty at first: a full disk can be opened for reading.</remarks>
internal sealed class CasSource
{
    /// <summary>More than one transaction can need.</summary>
    public const int Reserve = 16_384;

    private long _next;
    private long _end;
    private long _spareEnd;

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

    /// <summary>Before a transaction: takes a block when half of the present one is gone. A file that refuses matters only once the block is nearly empty.</summary>
    /// <exception cref="SqliteFailureException">No block could be taken, and the next transaction might need one.</exception>
    public void TakeIfLow(DocumentConnection connection)
    {
        if (_spareEnd != 0 || _end - _next >= DocumentSql.CasBlock / 2)
        {
            return;
        }

        try
        {
            _spareEnd = Take(connection);
        }
        catch (SqliteFailureException) when (_end - _next > Reserve)
        {
            // The next transaction tries again.
        }
    }

    private static long Take(DocumentConnection connection)
    {
        connection.RunCached(DocumentSql.Begin);
        try
        {
            var end = connection.Cached(DocumentSql.TakeCasBlock).ReadNumber()
                ?? throw new SqliteFailureException(SQLitePCL.raw.SQLITE_CORRUPT, "the sequence of versions is missing");
            connection.RunCached(DocumentSql.End);
            return end;
        }
        catch (SqliteFailureException) when (connection.InTransaction)
        {
            connection.RunCached(DocumentSql.Undo);
            throw;
        }
    }
}

using Pub.Sqlite.Files;
using Pub.Storage;

namespace Pub.Sqlite.Tests;

public sealed class CasSourceTests : IDisposable
{
    private readonly TemporaryFile _file = new();

    public void Dispose() => _file.Dispose();

    [Fact]
    public void Next_AcrossBlocksAndUndoneTransactionsOfTwoProcesses_NeverRepeats()
    {
        var seen = new HashSet<Cas>();
        using var first = FileFormat.OpenWriter(_file.Path);
        using var second = FileFormat.OpenWriter(_file.Path);
        (DocumentConnection Connection, CasSource Source)[] processes = [(first, new CasSource()), (second, new CasSource())];
        for (var transaction = 0; transaction < 300; transaction++)
        {
            var (connection, source) = processes[transaction % 2];
            source.TakeIfLow(connection);
            connection.RunCached(DocumentSql.Begin);
            for (var i = 0; i < CasSource.Reserve; i++)
            {
                var cas = source.Next();
                Assert.True(cas != Cas.None && seen.Add(cas));
            }

            connection.RunCached(transaction % 3 == 0 ? DocumentSql.Undo : DocumentSql.End);
        }

        Assert.True((ulong)seen.Count > 4 * DocumentSql.CasBlock);
    }
}

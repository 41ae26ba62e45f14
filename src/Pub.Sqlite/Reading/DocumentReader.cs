using Pub.Sqlite.Files;
using Pub.Storage;

namespace Pub.Sqlite.Reading;

/// <summary>
/// Every read: first what was answered but is not yet sealed (<see cref="AnsweredDocuments"/>), then the file. In this order: what leaves the
/// first is in the second already.
/// </summary>
internal sealed class DocumentReader(string path, ReaderPool pool, AnsweredDocuments answered, PubRuntime runtime)
{
    public StoredDocument Read(DocumentKey key) =>
        answered.TryGet(key, out var document) ? document.Value : Use((Key: key, Now: runtime.UnixMilliseconds), static (c, a) => Read(c, a.Key, a.Now));

    public StoredDocument[] Read(IReadOnlyList<DocumentKey> keys)
    {
        var documents = new StoredDocument[keys.Count];
        var isDone = new bool[keys.Count];
        for (var i = 0; i < documents.Length; i++)
        {
            if (answered.TryGet(keys[i], out var document))
            {
                (documents[i], isDone[i]) = (document.Value, true);
            }
        }

        return Use(
            (keys, documents, isDone, Now: runtime.UnixMilliseconds),
            static (c, a) => InTransaction(
                c,
                a,
                static (c, a) =>
                {
                    for (var i = 0; i < a.documents.Length; i++)
                    {
                        a.documents[i] = a.isDone[i] ? a.documents[i] : Read(c, a.keys[i], a.Now);
                    }

                    return a.documents;
                }));
    }

    /// <summary>The versions of documents in the file, and its epoch.</summary>
    public Cas[] ReadVersions(DocumentKey[] keys, out long epoch)
    {
        (var versions, epoch) = Use(
            (keys, Now: runtime.UnixMilliseconds),
            static (c, a) => InTransaction(
                c,
                a,
                static (c, a) => (Array.ConvertAll(a.keys, key => ReadVersion(c, key, a.Now)), ReadEpoch(c))));
        return versions;
    }

    public long ReadEpoch() => Use(0, static (c, _) => ReadEpoch(c));

    private static StoredDocument Read(DocumentConnection connection, DocumentKey key, long now)
    {
        var statement = connection.Document(key.Collection, DocumentCommand.Read);
        try
        {
            statement.BindText(1, key.Id);
            statement.Bind(2, now);
            return statement.Step() ? new StoredDocument(statement.Blob(1), new Cas((ulong)statement.Long(0))) : StoredDocument.Missing;
        }
        finally
        {
            statement.Reset();
        }
    }

    private static Cas ReadVersion(DocumentConnection connection, DocumentKey key, long now)
    {
        var statement = connection.Document(key.Collection, DocumentCommand.ReadVersion);
        statement.BindText(1, key.Id);
        statement.Bind(2, now);
        return new Cas((ulong)(statement.ReadNumber() ?? 0));
    }

    private static long ReadEpoch(DocumentConnection connection) => connection.Cached(DocumentSql.ReadEpoch).ReadNumber() ?? 0;

    private static TResult InTransaction<TArgument, TResult>(
        DocumentConnection connection, TArgument argument, Func<DocumentConnection, TArgument, TResult> read)
    {
        connection.RunCached(DocumentSql.BeginRead);
        try
        {
            return read(connection, argument);
        }
        finally
        {
            connection.RunCached(DocumentSql.End);
        }
    }

    private TResult Use<TArgument, TResult>(TArgument argument, Func<DocumentConnection, TArgument, TResult> read)
    {
        var isSound = false;
        DocumentConnection? connection = null;
        try
        {
            connection = pool.Rent();
            var result = read(connection, argument);
            isSound = true;
            return result;
        }
        catch (SqliteFailureException failure)
        {
            throw SqliteErrors.ToPubException(path, failure);
        }
        finally
        {
            if (connection is not null)
            {
                pool.Return(connection, isSound);
            }
        }
    }
}

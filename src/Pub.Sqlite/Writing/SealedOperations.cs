using Pub.Sqlite.Files;

namespace Pub.Sqlite.Writing;

/// <summary>Operations whose transactions are sealed, on their way to the disk and to their callers. The writer's thread only.</summary>
internal sealed class SealedOperations(string path, SqliteSynchronous synchronous, LogFile log)
{
    private readonly List<WriteOperation> _operations = [];
    private bool _mustSync;

    public void Add(List<WriteOperation> operations, bool isDurable)
    {
        _operations.AddRange(operations);
        _mustSync |= isDurable && synchronous == SqliteSynchronous.Synced;
    }

    /// <summary>Syncs if there is anything durable, then answers all. What it answers itself is why nothing more may be written.</summary>
    public PubException? SyncAndAnswer()
    {
        if (_mustSync)
        {
            try
            {
                log.Sync();
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                Fail(exception);
                return new StoreUnavailableException($"'{path}' could not be synced to disk ({exception.Message}); open the store anew.", exception);
            }
        }

        foreach (var operation in _operations)
        {
            operation.Answer();
        }

        Clear();
        return null;
    }

    /// <summary>They were written; whether they are on the disk nobody knows.</summary>
    public void Fail(Exception exception)
    {
        foreach (var operation in _operations)
        {
            operation.Fail(SqliteErrors.Unknown(path, exception));
        }

        Clear();
    }

    private void Clear()
    {
        _operations.Clear();
        _mustSync = false;
    }
}

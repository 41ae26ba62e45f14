using Pub.Sqlite.Files;

namespace Pub.Sqlite.Writing;

/// <summary>What the writer does when the file refuses.</summary>
internal sealed partial class DocumentWriter
{
    /// <summary>Undoes the open transaction. Answers the operations to try again; those that may have happened nevertheless are answered here.</summary>
    private void Undo(SqliteFailureException failure, out WriteOperation[] operations)
    {
        operations = [.. _transaction.Unanswered];
        var isUnknown = _transaction.IsEnding && !SqliteErrors.IsCertainlyUndone(failure.Code);
        var lost = _transaction.AnsweredEarly > 0;
        try
        {
            _transaction.Undo();
        }
        finally
        {
            _transaction.Reset();
            if (lost)
            {
                _mustRaiseEpoch = true;
                Volatile.Write(ref _epochsLost, _epochsLost + 1);
                _waiters.ReleaseAll();
            }
        }

        if (failure.Code == SQLitePCL.raw.SQLITE_FULL)
        {
            _drain.Hasten();
        }

        if (isUnknown)
        {
            Fail(operations, SqliteErrors.Unknown(_path, failure));
            operations = [];
        }
    }

    /// <summary>One bad operation, or a full disk, must not fail its neighbours: each has a transaction of its own now.</summary>
    private void TryEachAlone(WriteOperation[] operations, SqliteFailureException failure)
    {
        if (operations.Length == 1)
        {
            Fail(operations, SqliteErrors.ToPubException(_path, failure));
            return;
        }

        foreach (var operation in operations)
        {
            if (!TryBegin(out var refusal))
            {
                operation.Fail(refusal);
                continue;
            }

            try
            {
                _transaction.Execute(operation);
                Seal();
            }
            catch (SqliteFailureException alone)
            {
                Undo(alone, out var failed);
                Fail(failed, SqliteErrors.ToPubException(_path, alone));
            }
        }
    }

    private static void Fail(IEnumerable<WriteOperation> operations, Exception exception)
    {
        foreach (var operation in operations)
        {
            operation.Fail(exception);
        }
    }

    private void FailRest(Exception exception)
    {
        while (_at < _batch.Count)
        {
            _batch[_at++].Fail(exception);
        }
    }

    /// <summary>A defect of this program. Nobody waits for ever for an answer, and nothing is claimed that is not known.</summary>
    private void FailEverything(Exception exception)
    {
        _broken = new StoreUnavailableException($"'{_path}': the writer stopped ({exception.Message}); open the store anew.", exception);
        Fail(_transaction.Unanswered, SqliteErrors.Unknown(_path, exception));
        _sealed.Fail(exception);
        FailRest(_broken);
        _batch.Clear();
        try
        {
            _transaction.Undo();
        }
        catch (SqliteFailureException)
        {
            // Closing the file undoes it.
        }

        _transaction.Reset();
    }
}

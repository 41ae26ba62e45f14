using Pub.Sqlite.Files;
using Pub.Sqlite.Reading;
using Pub.Storage;

namespace Pub.Sqlite.Writing;

/// <summary>
/// Executes operations inside one transaction of the file. A counter's document is read once and written once, however often it is incremented meanwhile.
/// </summary>
/// <remarks>
/// The writer's thread only. An increment is answered at once, before the transaction is sealed, if neither it nor any earlier write of the
/// transaction to its document is durable: whatever comes to stand on its answer is sealed with it or after it.
/// Every other operation is in <see cref="Unanswered"/> until its transaction's end.
/// </remarks>
internal sealed class WriteTransaction(DocumentConnection connection, CasSource versions, AnsweredDocuments answered, PubRuntime runtime)
{
    /// <summary>Expired documents removed in one go, per collection.</summary>
    public const int SweepLimit = 200;

    private readonly TouchedDocuments _touched = new(connection);
    private long _now;

    /// <summary>Executed, and to be answered once the transaction is sealed.</summary>
    public List<WriteOperation> Unanswered { get; } = [];

    public IReadOnlyCollection<TouchedDocument> Touched => _touched.All;

    public bool HasDurable { get; private set; }

    /// <summary>Whether a failure struck the very end of the transaction.</summary>
    public bool IsEnding { get; private set; }

    /// <summary>Increments that were answered although the transaction is open.</summary>
    public int AnsweredEarly { get; private set; }

    public int Operations { get; private set; }

    public long Bytes { get; private set; }

    public void Begin(bool raiseEpoch)
    {
        versions.TakeIfLow(connection);
        connection.RunCached(DocumentSql.Begin);
        _now = runtime.UnixMilliseconds;
        if (raiseEpoch)
        {
            connection.Cached(DocumentSql.RaiseEpoch).ReadNumber();
        }
    }

    /// <exception cref="SqliteFailureException">The transaction has to be undone. The operation is in <see cref="Unanswered"/>.</exception>
    public void Execute(WriteOperation operation)
    {
        Operations++;
        Bytes += operation.Content.Length;
        HasDurable |= operation.Durable;
        Unanswered.Add(operation);
        if (operation.Kind < WriteKind.Increment)
        {
            _touched.WriteAhead(operation.Key);
        }

        switch (operation.Kind)
        {
            case WriteKind.Increment:
                Increment(operation);
                break;
            case WriteKind.Sweep:
                Sweep(operation);
                break;
            case WriteKind.Insert:
                Insert(operation);
                break;
            case WriteKind.Replace:
                Replace(operation);
                break;
            default:
                Remove(operation);
                break;
        }
    }

    /// <summary>Writes what is only in memory, and ends the transaction: from here on everybody sees it.</summary>
    public void Seal()
    {
        _touched.WriteAllAhead();
        IsEnding = true;
        connection.RunCached(DocumentSql.End);
        answered.Clear();
    }

    public void Undo()
    {
        if (connection.InTransaction)
        {
            connection.RunCached(DocumentSql.Undo);
        }

        answered.Clear();
    }

    /// <summary>Forgets everything, after <see cref="Seal"/> or <see cref="Undo"/>.</summary>
    public void Reset()
    {
        _touched.Clear();
        Unanswered.Clear();
        (HasDurable, IsEnding, AnsweredEarly, Operations, Bytes) = (false, false, 0, 0, 0);
    }

    private void Insert(WriteOperation operation)
    {
        var cas = versions.Next();
        var statement = Write(DocumentCommand.Insert, operation, cas);
        if (statement.Execute() == 0)
        {
            operation.Note(WriteStatus.Exists);
            return;
        }

        Applied(operation, cas);
    }

    private void Replace(WriteOperation operation)
    {
        var cas = versions.Next();
        var statement = Write(DocumentCommand.Replace, operation, cas);
        statement.Bind(6, (long)operation.Cas.Value);
        if (statement.Execute() == 0)
        {
            operation.Note(Exists(operation.Key) ? WriteStatus.Moved : WriteStatus.Missing);
            return;
        }

        Applied(operation, cas);
    }

    private void Remove(WriteOperation operation)
    {
        var statement = For(DocumentCommand.Remove, operation.Key);
        statement.Bind(2, _now);
        statement.Bind(3, (long)operation.Cas.Value);
        if (statement.Execute() == 0)
        {
            operation.Note(Exists(operation.Key) ? WriteStatus.Moved : WriteStatus.Missing);
            return;
        }

        Applied(operation, Cas.None);
    }

    private void Increment(WriteOperation operation)
    {
        var exists = _touched.TryGetOrLoad(operation.Key, _now, out var touched) && touched.Cas != Cas.None;
        if (!exists)
        {
            operation.Note(WriteStatus.Missing);
        }
        else if (!TryAdd(operation, touched!))
        {
            return;
        }

        if (!operation.Durable && touched?.IsDurable != true)
        {
            AnswerEarly(operation, exists ? new StoredDocument(touched!.Content, touched.Cas) : StoredDocument.Missing);
        }
        else if (exists)
        {
            touched!.IsDurable |= operation.Durable;
        }
    }

    private bool TryAdd(WriteOperation operation, TouchedDocument touched)
    {
        try
        {
            touched.Content = JsonCounter.Add(touched.Content.Span, operation.Path, operation.Delta, out var value);
            (touched.Cas, touched.IsAhead) = (versions.Next(), true);
            operation.Note(WriteStatus.Applied, touched.Cas, value);
            return true;
        }
        catch (Exception exception) when (exception is DocumentFormatException or OverflowException)
        {
            Unanswered.RemoveAt(Unanswered.Count - 1);
            operation.Fail(exception);
            return false;
        }
    }

    private void AnswerEarly(WriteOperation operation, StoredDocument document)
    {
        answered.Set(operation.Key, document);
        AnsweredEarly++;
        Unanswered.RemoveAt(Unanswered.Count - 1);
        operation.Answer();
    }

    private void Sweep(WriteOperation operation)
    {
        var most = 0;
        for (var collection = 0; collection < DocumentSql.Collections; collection++)
        {
            var removed = 0;
            var statement = connection.Document((DocumentCollection)collection, DocumentCommand.RemoveExpired);
            statement.Bind(1, _now);
            statement.Bind(2, SweepLimit);
            try
            {
                for (; statement.Step(); removed++)
                {
                    _touched.Touch(new((DocumentCollection)collection, statement.Text(0))).Cas = Cas.None;
                }
            }
            finally
            {
                statement.Reset();
            }

            most = Math.Max(most, removed);
        }

        operation.Note(WriteStatus.Applied, default, most);
    }

    private void Applied(WriteOperation operation, Cas cas)
    {
        var touched = _touched.Touch(operation.Key);
        (touched.Cas, touched.Content) = (cas, operation.Content);
        touched.IsDurable |= operation.Durable;
        operation.Note(WriteStatus.Applied, cas);
    }

    private bool Exists(DocumentKey key)
    {
        var statement = For(DocumentCommand.ReadVersion, key);
        statement.Bind(2, _now);
        return statement.ReadNumber() is not null;
    }

    private Statement Write(DocumentCommand command, WriteOperation operation, Cas cas)
    {
        var statement = For(command, operation.Key);
        statement.Bind(2, _now);
        statement.Bind(3, (long)cas.Value);
        statement.Bind(4, operation.TimeToLive is { } life ? Expiry(life) : null);
        statement.BindBlob(5, operation.Content.Span);
        return statement;
    }

    private long? Expiry(TimeSpan life) => life.TotalMilliseconds < long.MaxValue - _now ? _now + (long)life.TotalMilliseconds : null;

    private Statement For(DocumentCommand command, DocumentKey key)
    {
        var statement = connection.Document(key.Collection, command);
        statement.BindText(1, key.Id);
        return statement;
    }
}

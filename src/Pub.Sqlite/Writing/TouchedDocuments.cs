using System.Diagnostics.CodeAnalysis;
using Pub.Sqlite.Files;
using Pub.Storage;

namespace Pub.Sqlite.Writing;

/// <summary>The documents that the open transaction has read for an increment, or written. The writer's thread only.</summary>
internal sealed class TouchedDocuments(DocumentConnection connection)
{
    private const int MaxKept = 4_096;

    private readonly Dictionary<DocumentKey, TouchedDocument> _documents = [];
    private readonly Stack<TouchedDocument> _free = new();

    public IReadOnlyCollection<TouchedDocument> All => _documents.Values;

    public TouchedDocument Touch(DocumentKey key)
    {
        if (!_documents.TryGetValue(key, out var touched))
        {
            touched = _free.TryPop(out var free) ? free : new TouchedDocument();
            (touched.Key, touched.IsAhead, touched.IsDurable) = (key, false, false);
            _documents[key] = touched;
        }

        return touched;
    }

    /// <summary>The document as the transaction left it, or as the file has it. False: the file has none.</summary>
    public bool TryGetOrLoad(DocumentKey key, long now, [NotNullWhen(true)] out TouchedDocument? touched)
    {
        if (_documents.TryGetValue(key, out touched))
        {
            return true;
        }

        var statement = connection.Document(key.Collection, DocumentCommand.Read);
        try
        {
            statement.BindText(1, key.Id);
            statement.Bind(2, now);
            if (!statement.Step())
            {
                return false;
            }

            touched = Touch(key);
            (touched.Cas, touched.Content) = (new Cas((ulong)statement.Long(0)), statement.Blob(1));
            return true;
        }
        finally
        {
            statement.Reset();
        }
    }

    /// <summary>Before anything else touches its row.</summary>
    public void WriteAhead(DocumentKey key)
    {
        if (_documents.TryGetValue(key, out var touched))
        {
            WriteAhead(touched);
        }
    }

    public void WriteAllAhead()
    {
        foreach (var touched in _documents.Values)
        {
            WriteAhead(touched);
        }
    }

    public void Clear()
    {
        foreach (var touched in _documents.Values)
        {
            if (_free.Count < MaxKept)
            {
                touched.Content = default;
                _free.Push(touched);
            }
        }

        _documents.Clear();
    }

    private void WriteAhead(TouchedDocument touched)
    {
        if (touched.IsAhead)
        {
            var statement = connection.Document(touched.Key.Collection, DocumentCommand.Overwrite);
            statement.BindText(1, touched.Key.Id);
            statement.Bind(2, (long)touched.Cas.Value);
            statement.BindBlob(3, touched.Content.Span);
            statement.Execute();
            touched.IsAhead = false;
        }
    }
}

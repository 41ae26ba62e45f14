using System.Diagnostics.CodeAnalysis;
using Pub.Storage;

namespace Pub.Sqlite.Reading;

/// <summary>
/// Documents as increments left them that were answered while their transaction is still open: what connections that read cannot see yet, but callers may expect to.
/// </summary>
/// <remarks>
/// Filled before the increment is answered, cleared after its transaction was sealed or undone. Who looks here first and reads the file afterwards
/// therefore misses nothing that was answered before it looked. Shared state under <c>_lock</c>.
/// </remarks>
internal sealed class AnsweredDocuments
{
    private readonly Lock _lock = new();
    private readonly Dictionary<DocumentKey, StoredDocument> _documents = [];
    private volatile bool _isEmpty = true;

    public void Set(DocumentKey key, StoredDocument document)
    {
        lock (_lock)
        {
            _documents[key] = document;
            _isEmpty = false;
        }
    }

    public void Clear()
    {
        if (_isEmpty)
        {
            return;
        }

        lock (_lock)
        {
            _documents.Clear();
            _isEmpty = true;
        }
    }

    public bool TryGet(DocumentKey key, [NotNullWhen(true)] out StoredDocument? document)
    {
        document = null;
        if (_isEmpty)
        {
            return false;
        }

        lock (_lock)
        {
            if (!_documents.TryGetValue(key, out var found))
            {
                return false;
            }

            document = found;
            return true;
        }
    }
}

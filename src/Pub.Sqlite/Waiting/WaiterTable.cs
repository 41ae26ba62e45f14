using Pub.Storage;

namespace Pub.Sqlite.Waiting;

/// <summary>Somebody who waits until a document has another version than the one processed. Woken, it reads again and judges itself.</summary>
internal sealed class Waiter(DocumentKey key, Cas processed)
{
    private readonly TaskCompletionSource<bool> _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public DocumentKey Key => key;

    public Cas Processed => processed;

    /// <summary>True: the document may have changed. False: answer with what is there, whatever it is.</summary>
    public Task<bool> Woken => _woken.Task;

    public void Wake(bool read) => _woken.TrySetResult(read);

    public void Fail(Exception exception) => _woken.TrySetException(exception);
}

/// <summary>Who waits for which document. All state under <c>_lock</c>; a waiter that was woken is no longer in the table.</summary>
/// <remarks>
/// A waiter registers before it reads, a writer wakes after its transaction can be seen: so either the read sees the write or the write sees the waiter.
/// A wake carries no content: between a transaction and its wake another process may have written, and what is older must not follow what is newer.
/// </remarks>
internal sealed class WaiterTable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<DocumentKey, List<Waiter>> _waiters = [];
    private volatile int _count;
    private Exception? _closed;

    public bool IsEmpty => _count == 0;

    /// <summary>Answers whether it is the first.</summary>
    public bool Add(Waiter waiter)
    {
        lock (_lock)
        {
            if (_closed is not null)
            {
                throw _closed;
            }

            if (!_waiters.TryGetValue(waiter.Key, out var list))
            {
                _waiters[waiter.Key] = list = [];
            }

            list.Add(waiter);
            return ++_count == 1;
        }
    }

    public void Remove(Waiter waiter)
    {
        lock (_lock)
        {
            if (_waiters.TryGetValue(waiter.Key, out var list) && list.Remove(waiter))
            {
                _count--;
                DropIfEmpty(waiter.Key, list);
            }
        }
    }

    /// <summary>Wakes who has not processed this version.</summary>
    public void Wake(DocumentKey key, Cas current)
    {
        if (IsEmpty)
        {
            return;
        }

        lock (_lock)
        {
            if (!_waiters.TryGetValue(key, out var list))
            {
                return;
            }

            for (var i = list.Count - 1; i >= 0; i--)
            {
                if (list[i].Processed != current)
                {
                    list[i].Wake(read: true);
                    list.RemoveAt(i);
                    _count--;
                }
            }

            DropIfEmpty(key, list);
        }
    }

    /// <summary>Ends every wait with what is there.</summary>
    public void ReleaseAll() => Empty(waiter => waiter.Wake(read: false));

    public void Close(Exception exception)
    {
        lock (_lock)
        {
            _closed = exception;
        }

        Empty(waiter => waiter.Fail(exception));
    }

    /// <summary>The documents waited for, each once.</summary>
    public DocumentKey[] Keys()
    {
        lock (_lock)
        {
            return [.. _waiters.Keys];
        }
    }

    private void Empty(Action<Waiter> end)
    {
        lock (_lock)
        {
            foreach (var waiter in _waiters.Values.SelectMany(list => list))
            {
                end(waiter);
            }

            _waiters.Clear();
            _count = 0;
        }
    }

    private void DropIfEmpty(DocumentKey key, List<Waiter> list)
    {
        if (list.Count == 0)
        {
            _waiters.Remove(key);
        }
    }
}

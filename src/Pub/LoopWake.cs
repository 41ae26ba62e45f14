using Pub.Storage;

namespace Pub;

/// <summary>
/// Wakes a loop that waits on a document for a reason other than that document. No call is lost: one that comes while the loop works ends its next wait.
/// All state is guarded by <c>_lock</c>.
/// </summary>
internal sealed class LoopWake
{
    private readonly Lock _lock = new();
    private CancellationTokenSource? _waiting;
    private bool _isWoken;
    private bool _readsAgain;

    /// <param name="readAgain">Whether the loop is to read the document, not to go on with what it knows.</param>
    public void Wake(bool readAgain)
    {
        CancellationTokenSource? waiting;
        lock (_lock)
        {
            _isWoken = true;
            _readsAgain |= readAgain;
            waiting = _waiting;
        }

        waiting?.Cancel();
    }

    /// <summary>What to go on with: the changed document, the known one if woken or timed out; null: it is to be read.</summary>
    public async Task<StoredDocument?> WaitAsync(IDocumentStore store, DocumentKey key, StoredDocument known, TimeSpan timeout)
    {
        // Never disposed: it has no timer and no links, and Wake may be using it.
#pragma warning disable CA2000
        var waiting = new CancellationTokenSource();
#pragma warning restore CA2000
        if (Enter(waiting))
        {
            try
            {
                known = await store.WaitAsync(key, known.Cas, timeout, waiting.Token);
            }
            catch (OperationCanceledException) when (waiting.IsCancellationRequested)
            {
            }
        }

        return Leave() ? null : known;
    }

    private bool Enter(CancellationTokenSource waiting)
    {
        lock (_lock)
        {
            _waiting = waiting;
            return !_isWoken;
        }
    }

    private bool Leave()
    {
        lock (_lock)
        {
            var readsAgain = _readsAgain;
            (_waiting, _isWoken, _readsAgain) = (null, false, false);
            return readsAgain;
        }
    }
}

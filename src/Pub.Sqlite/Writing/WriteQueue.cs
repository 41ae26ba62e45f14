namespace Pub.Sqlite.Writing;

/// <summary>
/// What callers ask of the one writer, in order. All state under <c>_gate</c>; the writer takes all that has gathered at once.
/// </summary>
internal sealed class WriteQueue(Func<Exception> disposed)
{
    /// <summary>Callers wait for their answers, so only a flood of unawaited writes gets here.</summary>
    public const int MaxOperations = 100_000;

    private readonly object _gate = new();
    private List<WriteOperation> _gathered = [];
    private bool _isClosed;
    private bool _isAsleep;
    private bool _isNudged;

    public bool IsClosed => Volatile.Read(ref _isClosed);

    /// <exception cref="ObjectDisposedException">The store was disposed.</exception>
    /// <exception cref="StoreUnavailableException">Too much is waiting.</exception>
    public void Add(WriteOperation operation)
    {
        lock (_gate)
        {
            if (_isClosed)
            {
                throw disposed();
            }

            if (_gathered.Count >= MaxOperations)
            {
                throw new StoreUnavailableException($"{MaxOperations} writes are waiting for the file. The operation did not happen.");
            }

            _gathered.Add(operation);
            Wake();
        }
    }

    /// <summary>Ends the writer's sleep, without an operation.</summary>
    public void Nudge()
    {
        lock (_gate)
        {
            _isNudged = true;
            Wake();
        }
    }

    /// <summary>Takes what has gathered; waits for it up to the given time. False: nothing came.</summary>
    public bool Take(ref List<WriteOperation> emptied, int milliseconds)
    {
        lock (_gate)
        {
            if (_gathered.Count == 0 && milliseconds != 0 && !_isClosed && !_isNudged)
            {
                _isAsleep = true;
                Monitor.Wait(_gate, milliseconds);
                _isAsleep = false;
            }

            _isNudged = false;
            if (_gathered.Count == 0)
            {
                return false;
            }

            (emptied, _gathered) = (_gathered, emptied);
            return true;
        }
    }

    /// <summary>Lets nothing more in. What is in is still taken.</summary>
    public void Close()
    {
        lock (_gate)
        {
            Volatile.Write(ref _isClosed, true);
            Wake();
        }
    }

    private void Wake()
    {
        if (_isAsleep)
        {
            Monitor.Pulse(_gate);
        }
    }
}

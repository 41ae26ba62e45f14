using Pub.Sqlite.Files;

namespace Pub.Sqlite.Reading;

/// <summary>
/// Connections that only read. A read runs on its caller's thread, with a connection that nobody else has meanwhile: as many are made as threads read at once,
/// a few are kept. The write-ahead log lets them read while the writer writes.
/// </summary>
internal sealed class ReaderPool(string path, long cacheBytes, Func<Exception> disposed) : IDisposable
{
    private const int MaxKept = 4;

    private readonly Lock _lock = new();
    private readonly Stack<DocumentConnection> _free = new();
    private bool _isDisposed;
    private int _rented;

    public DocumentConnection Rent()
    {
        lock (_lock)
        {
            if (_isDisposed)
            {
                throw disposed();
            }

            Interlocked.Increment(ref _rented);
            if (_free.TryPop(out var connection))
            {
                return connection;
            }
        }

        try
        {
            return DocumentConnection.OpenReader(path, cacheBytes / MaxKept);
        }
        catch
        {
            Returned();
            throw;
        }
    }

    /// <summary>Takes a connection back; one that failed is closed rather than kept.</summary>
    public void Return(DocumentConnection connection, bool isSound)
    {
        var keep = false;
        lock (_lock)
        {
            if (isSound && !_isDisposed && _free.Count < MaxKept)
            {
                _free.Push(connection);
                keep = true;
            }
        }

        if (!keep)
        {
            connection.Dispose();
        }

        Returned();
    }

    /// <summary>Closes the kept connections, and waits for those that are being read with: milliseconds.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            while (_free.TryPop(out var connection))
            {
                connection.Dispose();
            }
        }

        SpinWait.SpinUntil(() => Volatile.Read(ref _rented) == 0, TimeSpan.FromSeconds(10));
    }

    private void Returned() => Interlocked.Decrement(ref _rented);
}

using Microsoft.Data.Sqlite;
using Pub.Sqlite.Files;

namespace Pub.Sqlite.Writing;

/// <summary>
/// Moves the write-ahead log into the file on a thread of its own, while the writer writes on. Then the writer itself moves what came meanwhile and lets the log start
/// anew: a short stall, and the only way that an ever busy log comes to an end.
/// </summary>
/// <remarks>
/// <c>_pages</c>: the writer's thread only. <c>_wantsRestart</c>: set by the drain's thread, taken by the writer's. A failure here loses nothing: the log stays as it is, and the next
/// drain tries again.
/// </remarks>
internal sealed class LogDrain : IDisposable
{
    private const int MaxPasses = 4;
    private const int BusyMilliseconds = 20;

    // A log that has grown to so many times its size makes the writer wait for the drain.
    private const int Overdue = 3;

    private readonly string _path;
    private readonly long _maxPages;
    private readonly AutoResetEvent _wake = new(false);
    private readonly AutoResetEvent _drained = new(false);
    private readonly Thread _thread;
    private volatile bool _isStopped;
    private volatile bool _isDraining;
    private volatile bool _wantsRestart;
    private long _pages;

    public LogDrain(string path, long logBytes)
    {
        (_path, _maxPages) = (path, logBytes / DocumentSql.PageBytes);
        _thread = new Thread(Run) { IsBackground = true, Name = "pub-sqlite-drain" };
        _thread.Start();
    }

    /// <summary>How often the log was started anew.</summary>
    public long Restarts { get; private set; }

    /// <summary>Called by the writer between transactions.</summary>
    public void AfterTransaction(DocumentConnection writer)
    {
        _pages += writer.TakePagesWritten();
        if (_isDraining && _pages >= Overdue * _maxPages)
        {
            _drained.WaitOne();
        }

        if (_wantsRestart)
        {
            _wantsRestart = false;
            Restart(writer);
        }
        else if (_pages >= _maxPages && !_isDraining)
        {
            _isDraining = true;
            _drained.Reset();
            _wake.Set();
        }
    }

    /// <summary>The disk is full: what can be moved into the file's free pages makes room in the log. Called by the writer.</summary>
    public void Hasten() => _pages = _maxPages;

    public void Dispose()
    {
        _isStopped = true;
        _wake.Set();
        _thread.Join();
        _wake.Dispose();
        _drained.Dispose();
    }

    private void Restart(DocumentConnection writer)
    {
        writer.SetBusyTimeout(BusyMilliseconds);
        try
        {
            var (logged, moved) = writer.Drain(restart: true);
            Restarts += logged == moved ? 1 : 0;
        }
        catch (SqliteFailureException)
        {
            // A full disk, usually. The log keeps what could not be moved.
        }
        finally
        {
            writer.SetBusyTimeout(0);
            _pages = 0;
            _isDraining = false;
        }
    }

    private void Run()
    {
        DocumentConnection? connection = null;
        while (_wake.WaitOne() && !_isStopped)
        {
            try
            {
                connection ??= DocumentConnection.Open(_path, SqliteOpenMode.ReadWrite);
                connection.Run("PRAGMA synchronous = NORMAL");
                for (var pass = 0; pass < MaxPasses && !_isStopped; pass++)
                {
                    var (logged, moved) = connection.Drain(restart: false);
                    if (logged - moved < _maxPages / 8)
                    {
                        break;
                    }
                }
            }
            catch (SqliteFailureException)
            {
                // The writer's own attempt follows, and the next drain.
            }

            _wantsRestart = true;
            _drained.Set();
        }

        connection?.Dispose();
    }
}

using Pub.Sqlite.Reading;
using Pub.Sqlite.Writing;
using Pub.Storage;

namespace Pub.Sqlite.Waiting;

/// <summary>Waits for documents to differ from the version that the caller processed.</summary>
internal sealed class DocumentWaits(DocumentReader reader, WaiterTable waiters, WriteQueue queue, PubRuntime runtime)
{
    // The most that a timer takes. A wait that long answers early.
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(40);

    public async ValueTask<StoredDocument> WaitAsync(DocumentKey key, Cas processed, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var started = runtime.Time.GetTimestamp();
        var document = reader.Read(key);
        while (document.Cas == processed)
        {
            var left = timeout == Timeout.InfiniteTimeSpan ? timeout : timeout - runtime.Time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero && left != Timeout.InfiniteTimeSpan)
            {
                break;
            }

            (document, var goOn) = await WaitOnceAsync(key, processed, left < LongestTimer ? left : LongestTimer, cancellationToken).ConfigureAwait(false);
            if (!goOn)
            {
                break;
            }
        }

        return document;
    }

    private async Task<(StoredDocument Document, bool GoOn)> WaitOnceAsync(
        DocumentKey key, Cas processed, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var waiter = new Waiter(key, processed);
        if (waiters.Add(waiter))
        {
            queue.Nudge(); // the writer asks the file for other processes' writes from now on
        }

        try
        {
            var document = reader.Read(key);
            if (document.Cas != processed)
            {
                return (document, false);
            }

            var goOn = await waiter.Woken.WaitAsync(timeout, runtime.Time, cancellationToken).ConfigureAwait(false);
            return (reader.Read(key), goOn);
        }
        catch (TimeoutException)
        {
            return (reader.Read(key), false);
        }
        finally
        {
            waiters.Remove(waiter);
        }
    }
}

namespace Pub.Storage.Memory;

/// <summary>One wait for a document to change. Ended once, by whichever comes first: a write, the timeout, cancellation, the end of the store.</summary>
internal sealed class DocumentWaiter(MemoryStripe stripe, DocumentKey key)
{
    // The most that a timer takes; a wait that long answers early, as any wait may.
    private static readonly TimeSpan MaxTimeout = TimeSpan.FromDays(40);

    private readonly TaskCompletionSource<StoredDocument> _end = Completion.Source<StoredDocument>();

    public DocumentKey Key { get; } = key;

    public async ValueTask<StoredDocument> WaitAsync(TimeProvider time, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var dueTime = timeout == Timeout.InfiniteTimeSpan || timeout < MaxTimeout ? timeout : MaxTimeout;
        using var timer = time.CreateTimer(static waiter => ((DocumentWaiter)waiter!).TimeOut(), this, dueTime, Timeout.InfiniteTimeSpan);
        var cancellation = cancellationToken.UnsafeRegister(static (waiter, token) => ((DocumentWaiter)waiter!).Cancel(token), this);
        try
        {
            return await _end.Task;
        }
        finally
        {
            // Neither waits for a callback that is running: one that comes late finds the wait ended.
            cancellation.Unregister();
        }
    }

    public void End(StoredDocument document) => _end.TrySetResult(document);

    public void Fail(Exception exception) => _end.TrySetException(exception);

    private void TimeOut()
    {
        stripe.Forget(this);
        try
        {
            End(stripe.Get(Key));
        }
        catch (ObjectDisposedException exception)
        {
            Fail(exception);
        }
    }

    private void Cancel(CancellationToken cancellationToken)
    {
        stripe.Forget(this);
        _end.TrySetCanceled(cancellationToken);
    }
}

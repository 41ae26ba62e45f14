using System.Threading.Tasks.Sources;
using Pub.Topics;

namespace Pub.Publishing;

/// <summary>
/// One message on its way. Ends once: done, failed or cancelled.
/// <code>
/// Waiting → Appending: by a runner, when it takes the message into an entry; → Waiting again when that entry was certainly not appended
/// Waiting → Cancelled: by the caller's token; who wins the exchange decides
/// </code>
/// Everything else is written under the topic's lock.
/// </summary>
internal abstract class PendingPublish
{
    private const int Waiting = 0;
    private const int Appending = 1;
    private const int Cancelled = 2;

    private int _state;

    /// <summary>The topic that the message waits in; null before the first.</summary>
    public TopicPublisher? Topic { get; set; }

    /// <summary>Set while the message waits unencoded, because much waits.</summary>
    public OutgoingMessage? Unencoded { get; set; }

    public EncodedMessage Message { get; set; }

    public PublishOptions Options { get; init; }

    /// <summary>The order of calls within the topic.</summary>
    public long Sequence { get; set; }

    /// <summary>Whether its bytes are counted among the pending.</summary>
    public bool IsAccepted { get; set; }

    /// <summary>Whether it waits for a shard, or for the next in turn.</summary>
    public bool IsRouted { get; set; }

    /// <summary>What it counts for among the pending bytes and in an entry.</summary>
    public int Bytes => Message.Size + 1;

    public bool IsKeyless => Message.Key is null && Options.Shard is null;

    public bool IsWaiting => Volatile.Read(ref _state) == Waiting;

    public bool TryClaim() => Interlocked.CompareExchange(ref _state, Appending, Waiting) == Waiting;

    public bool TryCancel() => Interlocked.CompareExchange(ref _state, Cancelled, Waiting) == Waiting;

    /// <summary>Back in the queue: the entry was certainly not appended.</summary>
    public void Unclaim() => Volatile.Write(ref _state, Waiting);

    public abstract void Complete(PublishResult result);

    public abstract void Fail(Exception exception);
}

/// <summary>A message published alone: also what its caller awaits, so that a publish costs one object.</summary>
/// <remarks>
/// The caller's code goes on behind everything that waits for a thread by then, and so before the next entry is taken, whose runner queues behind it:
/// that is what fills entries when many publish and await. In the simulation its context does the same.
/// </remarks>
internal sealed class SinglePublish : PendingPublish, IValueTaskSource<PublishResult>, IThreadPoolWorkItem
{
    private readonly bool _postsEveryContinuation = SynchronizationContext.Current is IPostsEveryContinuation;
    private ManualResetValueTaskSourceCore<PublishResult> _core;
    private CancellationTokenRegistration _registration;
    private PublishResult _result;
    private Exception? _failure;

    public ValueTask<PublishResult> Result => new(this, _core.Version);

    /// <summary>Before the message is queued, so that the end of the call always finds the registration.</summary>
    public void CancelWith(CancellationToken cancellationToken)
    {
        if (cancellationToken.CanBeCanceled)
        {
            _registration = cancellationToken.UnsafeRegister(static (pending, token) => ((SinglePublish)pending!).Cancel(token), this);
        }
    }

    public override void Complete(PublishResult result)
    {
        _registration.Unregister();
        _result = result;
        End();
    }

    public override void Fail(Exception exception)
    {
        _registration.Unregister();
        _failure = exception;
        End();
    }

    void IThreadPoolWorkItem.Execute()
    {
        if (_failure is null)
        {
            _core.SetResult(_result);
        }
        else
        {
            _core.SetException(_failure);
        }
    }

    PublishResult IValueTaskSource<PublishResult>.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<PublishResult>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<PublishResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private void End()
    {
        if (_postsEveryContinuation)
        {
            ((IThreadPoolWorkItem)this).Execute();
        }
        else
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    private void Cancel(CancellationToken cancellationToken)
    {
        if (TryCancel())
        {
            Topic?.OnCancelled(this);
            _failure = new OperationCanceledException(cancellationToken);
            End();
        }
    }
}

/// <summary>A message of a batch.</summary>
internal sealed class BatchMember(BatchPublish batch, int index) : PendingPublish
{
    public override void Complete(PublishResult result) => batch.Complete(index, result);

    public override void Fail(Exception exception) => batch.Fail(index, exception);
}

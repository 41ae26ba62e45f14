using Pub.Topics;

namespace Pub.Publishing;

/// <summary>
/// Several messages published in one call, and how each ended. Ends when the last one has.
/// </summary>
internal sealed class BatchPublish
{
    private readonly TaskCompletionSource<IReadOnlyList<PublishResult>> _done = Completion.Source<IReadOnlyList<PublishResult>>();
    private readonly PublishResult[] _results;
    private readonly Exception?[] _failures;
    private readonly BatchMember[] _members;
    private CancellationTokenRegistration _registration;
    private int _open;

    public BatchPublish(IReadOnlyList<EncodedMessage> messages, PublishOptions options)
    {
        _results = new PublishResult[messages.Count];
        _failures = new Exception?[messages.Count];
        _members = new BatchMember[messages.Count];
        _open = messages.Count;
        for (var i = 0; i < _members.Length; i++)
        {
            _members[i] = new BatchMember(this, i) { Message = messages[i], Options = options };
        }
    }

    public IReadOnlyList<PendingPublish> Members => _members;

    public Task<IReadOnlyList<PublishResult>> Result => _done.Task;

    /// <summary>Takes out what is not yet in an entry.</summary>
    public void CancelWith(CancellationToken cancellationToken)
    {
        if (cancellationToken.CanBeCanceled)
        {
            _registration = cancellationToken.UnsafeRegister(static (batch, token) => ((BatchPublish)batch!).Cancel(token), this);
        }
    }

    public void Complete(int index, PublishResult result)
    {
        _results[index] = result;
        End();
    }

    public void Fail(int index, Exception exception)
    {
        _failures[index] = exception;
        End();
    }

    private void Cancel(CancellationToken cancellationToken)
    {
        foreach (var member in _members)
        {
            if (member.TryCancel())
            {
                member.Topic?.OnCancelled(member);
                member.Fail(new OperationCanceledException(cancellationToken));
            }
        }
    }

    private void End()
    {
        if (Interlocked.Decrement(ref _open) > 0)
        {
            return;
        }

        _registration.Unregister();
        var failed = _failures.Count(failure => failure is not null);
        if (failed == 0)
        {
            _done.SetResult(_results);
        }
        else if (failed == _failures.Length && Array.TrueForAll(_failures, failure => failure!.GetType() == _failures[0]!.GetType()))
        {
            _done.SetException(_failures[0]!);
        }
        else
        {
            _done.SetException(new PublishBatchException(_results, _failures));
        }
    }
}

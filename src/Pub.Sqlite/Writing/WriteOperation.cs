using System.Threading.Tasks.Sources;
using Pub.Storage;

namespace Pub.Sqlite.Writing;

internal enum WriteKind
{
    Insert,
    Replace,
    Remove,
    Increment,
    Sweep,
}

/// <summary>
/// One write on its way through the writer: the question, and the awaitable answer. Used again after its answer was taken.
/// </summary>
/// <remarks>
/// Owned by the caller until it is queued, by the writer until it is answered, by the awaiting caller until the answer was taken, and then by nobody.
/// The writer does not touch it after answering.
/// </remarks>
internal sealed class WriteOperation(WriteOperationPool pool) : IValueTaskSource<WriteResult>, IValueTaskSource<IncrementResult>
{
    private ManualResetValueTaskSourceCore<IncrementResult> _source = new() { RunContinuationsAsynchronously = true };
    private Cas _newCas;

    public WriteKind Kind { get; private set; }

    public DocumentKey Key { get; private set; }

    public ReadOnlyMemory<byte> Content { get; private set; }

    public Cas Cas { get; private set; }

    public CounterPath Path { get; private set; }

    public long Delta { get; private set; }

    public bool Durable { get; private set; }

    public TimeSpan? TimeToLive { get; private set; }

    /// <summary>How it went, until the transaction is sealed and it may be told.</summary>
    public WriteStatus Status { get; private set; }

    /// <summary>An increment's value; a sweep's count of removed documents.</summary>
    public long Value { get; private set; }

    public short Version => _source.Version;

    public void Ask(WriteKind kind, DocumentKey key, ReadOnlyMemory<byte> content, Cas cas, WriteOptions options)
    {
        (Kind, Key, Content, Cas) = (kind, key, content, cas);
        (Durable, TimeToLive) = (options.Durable, options.TimeToLive);
    }

    public void AskIncrement(DocumentKey key, CounterPath path, long delta, WriteOptions options)
    {
        Ask(WriteKind.Increment, key, default, default, options);
        (Path, Delta) = (path, delta);
    }

    public void Note(WriteStatus status, Cas cas = default, long value = 0) => (Status, _newCas, Value) = (status, cas, value);

    public void Answer() => _source.SetResult(new IncrementResult(Status, Value));

    public void Fail(Exception exception) => _source.SetException(exception);

    WriteResult IValueTaskSource<WriteResult>.GetResult(short token)
    {
        try
        {
            return new WriteResult(_source.GetResult(token).Status, _newCas);
        }
        finally
        {
            Recycle();
        }
    }

    IncrementResult IValueTaskSource<IncrementResult>.GetResult(short token)
    {
        try
        {
            return _source.GetResult(token);
        }
        finally
        {
            Recycle();
        }
    }

    public ValueTaskSourceStatus GetStatus(short token) => _source.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    private void Recycle()
    {
        _source.Reset();
        (Key, Content, Cas, Path, Delta) = (default, default, default, default, 0);
        Note(default);
        pool.Return(this);
    }
}

/// <summary>Keeps answered operations for the next writes.</summary>
internal sealed class WriteOperationPool
{
    private const int MaxKept = 1024;

    private readonly Lock _lock = new();
    private readonly Stack<WriteOperation> _free = new();

    public WriteOperation Rent()
    {
        lock (_lock)
        {
            if (_free.TryPop(out var operation))
            {
                return operation;
            }
        }

        return new WriteOperation(this);
    }

    public void Return(WriteOperation operation)
    {
        lock (_lock)
        {
            if (_free.Count < MaxKept)
            {
                _free.Push(operation);
            }
        }
    }
}

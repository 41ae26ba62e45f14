using System.Collections.Concurrent;
using Pub.Storage;

namespace Pub.Testing;

public enum StoreOperation
{
    Get,
    Insert,
    Replace,
    Remove,
    Increment,
    Wait,
    Epoch,
}

/// <summary>How one operation ends instead of as it would.</summary>
public enum StoreFault
{
    None,

    /// <summary><see cref="StoreUnavailableException"/>; nothing happens.</summary>
    Unavailable,

    /// <summary><see cref="OutcomeUnknownException"/>; it has happened.</summary>
    UnknownApplied,

    /// <summary><see cref="OutcomeUnknownException"/>; it has not happened. The test can make it happen later from <see cref="StoreRule.Calls"/>.</summary>
    UnknownNotApplied,

    /// <summary>Replace and remove: <see cref="WriteStatus.Moved"/>; nothing happens.</summary>
    Moved,
}

/// <summary>One operation as it was asked for.</summary>
public sealed record StoreCall(StoreOperation Operation, DocumentKey Key, ReadOnlyMemory<byte> Content, bool Durable);

/// <summary>What happens to the next operations that it is for.</summary>
public sealed class StoreRule
{
    private readonly ConcurrentQueue<StoreCall> _calls = new();
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public required StoreOperation Operation { get; init; }

    public Func<DocumentKey, bool> Where { get; init; } = _ => true;

    public int Times { get; set; } = 1;

    public StoreFault Fault { get; init; }

    /// <summary>Awaited before the operation.</summary>
    public Func<Task>? Before { get; init; }

    /// <summary>Awaited after the operation, before it is answered.</summary>
    public Func<Task>? After { get; init; }

    /// <summary>The operations that it was used for.</summary>
    public IReadOnlyCollection<StoreCall> Calls => _calls;

    /// <summary>Completes when it is used first.</summary>
    public Task Reached => _reached.Task;

    internal void Use(StoreCall call)
    {
        _calls.Enqueue(call);
        _reached.TrySetResult();
    }
}

/// <summary>A store that does what a test tells it to, operation by operation, and counts.</summary>
public sealed class ScriptedStore(IDocumentStore inner) : IDocumentStore
{
    private readonly Lock _lock = new();
    private readonly List<StoreRule> _rules = [];
    private readonly ConcurrentQueue<StoreCall> _calls = new();

    public IDocumentStore Inner => inner;

    /// <summary>Every operation asked for, in order.</summary>
    public IReadOnlyCollection<StoreCall> Calls => _calls;

    /// <summary>Asked first: a rule for this operation, whatever its own conditions say, or null.</summary>
    public Func<StoreCall, StoreRule?>? Decide { get; set; }

    public Func<DocumentKey, Epoch>? Epochs { get; set; }

    public int? MaxBytes { get; set; }

    public int MaxDocumentBytes => MaxBytes ?? inner.MaxDocumentBytes;

    public int Count(StoreOperation operation, DocumentCollection? collection = null) =>
        _calls.Count(call => call.Operation == operation && (collection is null || call.Key.Collection == collection));

    public void ClearCalls() => _calls.Clear();

    public StoreRule Add(StoreRule rule)
    {
        lock (_lock)
        {
            _rules.Add(rule);
        }

        return rule;
    }

    public StoreRule Fail(StoreOperation operation, StoreFault fault, Func<DocumentKey, bool>? where = null, int times = 1) =>
        Add(new StoreRule { Operation = operation, Fault = fault, Where = where ?? (_ => true), Times = times });

    public ValueTask<StoredDocument> GetAsync(DocumentKey key, CancellationToken cancellationToken = default) =>
        RunAsync(new StoreCall(StoreOperation.Get, key, default, false), () => inner.GetAsync(key, cancellationToken));

    public async ValueTask<StoredDocument[]> GetManyAsync(IReadOnlyList<DocumentKey> keys, CancellationToken cancellationToken = default)
    {
        foreach (var key in keys)
        {
            await RunAsync(new StoreCall(StoreOperation.Get, key, default, false), () => ValueTask.FromResult(0));
        }

        return await inner.GetManyAsync(keys, cancellationToken);
    }

    public ValueTask<WriteResult> InsertAsync(DocumentKey key, ReadOnlyMemory<byte> content, WriteOptions options = default) =>
        RunAsync(new StoreCall(StoreOperation.Insert, key, content, options.Durable), () => inner.InsertAsync(key, content, options));

    public ValueTask<WriteResult> ReplaceAsync(DocumentKey key, ReadOnlyMemory<byte> content, Cas cas, WriteOptions options = default) =>
        RunAsync(new StoreCall(StoreOperation.Replace, key, content, options.Durable), () => inner.ReplaceAsync(key, content, cas, options), new WriteResult(WriteStatus.Moved));

    public ValueTask<WriteResult> RemoveAsync(DocumentKey key, Cas cas = default, WriteOptions options = default) =>
        RunAsync(new StoreCall(StoreOperation.Remove, key, default, options.Durable), () => inner.RemoveAsync(key, cas, options), new WriteResult(WriteStatus.Moved));

    public ValueTask<IncrementResult> IncrementAsync(DocumentKey key, CounterPath path, long delta, WriteOptions options = default) =>
        RunAsync(new StoreCall(StoreOperation.Increment, key, default, options.Durable), () => inner.IncrementAsync(key, path, delta, options));

    public ValueTask<StoredDocument> WaitAsync(DocumentKey key, Cas processed, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        RunAsync(new StoreCall(StoreOperation.Wait, key, default, false), () => inner.WaitAsync(key, processed, timeout, cancellationToken));

    public ValueTask<Epoch> GetEpochAsync(DocumentKey key, CancellationToken cancellationToken = default) =>
        RunAsync(new StoreCall(StoreOperation.Epoch, key, default, false), () => Epochs is null ? inner.GetEpochAsync(key, cancellationToken) : ValueTask.FromResult(Epochs(key)));

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private async ValueTask<T> RunAsync<T>(StoreCall call, Func<ValueTask<T>> operation, T moved = default!)
    {
        _calls.Enqueue(call);
        if (Find(call) is not { } rule)
        {
            return await operation();
        }

        rule.Use(call);
        await (rule.Before?.Invoke() ?? Task.CompletedTask);
        switch (rule.Fault)
        {
            case StoreFault.Unavailable:
                throw new StoreUnavailableException($"Scripted: {call.Operation} {call.Key}.");
            case StoreFault.UnknownNotApplied:
                throw new OutcomeUnknownException($"Scripted: {call.Operation} {call.Key}, not applied.");
            case StoreFault.UnknownApplied:
                await operation();
                throw new OutcomeUnknownException($"Scripted: {call.Operation} {call.Key}, applied.");
            case StoreFault.Moved:
                return moved;
            default:
                var result = await operation();
                await (rule.After?.Invoke() ?? Task.CompletedTask);
                return result;
        }
    }

    private StoreRule? Find(StoreCall call)
    {
        if (Decide?.Invoke(call) is { } decided)
        {
            return decided;
        }

        lock (_lock)
        {
            var rule = _rules.Find(rule => rule.Times > 0 && rule.Operation == call.Operation && rule.Where(call.Key));
            if (rule is not null)
            {
                rule.Times--;
            }

            return rule;
        }
    }
}

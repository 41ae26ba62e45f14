using System.Collections.Concurrent;
using System.Diagnostics;
using Pub.Simulation.Kernel;
using Pub.Simulation.Store;
using Pub.Storage;

namespace Pub.Simulation.Tests;

/// <summary>A simulated store that can be called from any thread and whose virtual time follows real time: so that it can run the contract tests of stores.</summary>
internal sealed class RealTimeStore : IDocumentStore
{
    private readonly BlockingCollection<Action> _calls = [];
    private readonly SimScheduler _scheduler = new(1, firstInFirstOut: false);
    private readonly SimProcess _process;
    private readonly NodeStore _store;
    private readonly Thread _thread;
    private volatile bool _isDisposed;

    public RealTimeStore()
    {
        var trace = new SimTrace(_scheduler);
        _process = new SimProcess("p", _scheduler);
        _store = new NodeStore(new SimCluster(_scheduler, trace, 1), _process);
        _thread = new Thread(Pump) { IsBackground = true };
        _thread.Start();
    }

    public int MaxDocumentBytes => _store.MaxDocumentBytes;

    public ValueTask<StoredDocument> GetAsync(DocumentKey key, CancellationToken cancellationToken = default) =>
        Call(token => _store.GetAsync(key, token), cancellationToken);

    public ValueTask<StoredDocument[]> GetManyAsync(IReadOnlyList<DocumentKey> keys, CancellationToken cancellationToken = default) =>
        Call(token => _store.GetManyAsync(keys, token), cancellationToken);

    public ValueTask<WriteResult> InsertAsync(DocumentKey key, ReadOnlyMemory<byte> content, WriteOptions options = default) =>
        Call(_ => _store.InsertAsync(key, content, options), default);

    public ValueTask<WriteResult> ReplaceAsync(DocumentKey key, ReadOnlyMemory<byte> content, Cas cas, WriteOptions options = default) =>
        Call(_ => _store.ReplaceAsync(key, content, cas, options), default);

    public ValueTask<WriteResult> RemoveAsync(DocumentKey key, Cas cas = default, WriteOptions options = default) =>
        Call(_ => _store.RemoveAsync(key, cas, options), default);

    public ValueTask<IncrementResult> IncrementAsync(DocumentKey key, CounterPath path, long delta, WriteOptions options = default) =>
        Call(_ => _store.IncrementAsync(key, path, delta, options), default);

    public ValueTask<StoredDocument> WaitAsync(DocumentKey key, Cas processed, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        Call(token => _store.WaitAsync(key, processed, timeout, token), cancellationToken);

    public ValueTask<Epoch> GetEpochAsync(DocumentKey key, CancellationToken cancellationToken = default) =>
        Call(token => _store.GetEpochAsync(key, token), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (!_isDisposed)
        {
            await Call(async _ =>
            {
                await _store.DisposeAsync();
                return true;
            }, default);
            _isDisposed = true;
        }
    }

    private async ValueTask<T> Call<T>(Func<CancellationToken, ValueTask<T>> call, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var cancellation = new CancellationTokenSource();
        if (cancellationToken.IsCancellationRequested)
        {
            cancellation.Cancel();
        }

        await using var registration = cancellationToken.Register(() => _calls.Add(cancellation.Cancel, CancellationToken.None));
        Add(() => _process.Do(async () =>
        {
            try
            {
                answer.TrySetResult(await call(cancellation.Token));
            }
            catch (OperationCanceledException)
            {
                answer.TrySetCanceled(cancellation.Token);
            }
            catch (Exception exception)
            {
                answer.TrySetException(exception);
            }
        }));
        return await answer.Task;
    }

    private void Add(Action call) => _calls.Add(call);

    private void Pump()
    {
        var real = Stopwatch.StartNew();
        while (!_isDisposed)
        {
            if (_calls.TryTake(out var call, 1))
            {
                // Run claims this thread before anything is posted from it.
                _scheduler.Run(() => true, TimeSpan.Zero);
                call();
            }

            _scheduler.Run(() => false, TimeSpan.FromTicks(Math.Max(0, real.Elapsed.Ticks - _scheduler.Now)));
        }
    }
}

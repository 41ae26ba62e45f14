using Pub.Storage;

namespace Pub.Simulation.Store;

internal sealed partial class NodeStore
{
    private readonly List<OpenWait> _waits = [];

    /// <summary>One caller that waits for a document's next version: woken by the write, or a little later, as polling would find it.</summary>
    private sealed class OpenWait(NodeStore store, DocumentKey key, Cas processed)
    {
        private readonly TaskCompletionSource<StoredDocument> _answer = new();
        private readonly SimCluster _cluster = store._cluster;
        private CancellationTokenRegistration _registration;
        private Action? _changed;
        private bool _isLooking;

        public Task<StoredDocument> BeginAsync(TimeSpan timeout, CancellationToken cancellationToken)
        {
            _changed = Look;
            _cluster.Watch(key, _changed);
            store._waits.Add(this);
            store.OpenWaits++;
            _registration = cancellationToken.UnsafeRegister(
                static (state, token) =>
                {
                    var wait = (OpenWait)state!;
                    wait.Close();
                    wait._answer.TrySetCanceled(token);
                },
                this);
            if (timeout != Timeout.InfiniteTimeSpan)
            {
                _cluster.After(timeout, () => End(_cluster.Read(key)));
            }

            if (store.IsCutOff || _cluster.Random.NextDouble() < _cluster.Faults.Unavailable)
            {
                _cluster.After(_cluster.Draw(_cluster.Faults.Latency), () => End(new StoreUnavailableException($"Wait for {key}: unavailable (simulated).")));
            }

            _cluster.After(_cluster.Draw(_cluster.Faults.Latency), Compare);
            return _answer.Task;
        }

        public void EndDisposed() => End(new ObjectDisposedException(nameof(NodeStore)));

        private void Look()
        {
            if (!_isLooking)
            {
                _isLooking = true;
                _cluster.After(_cluster.Draw(_cluster.Faults.Latency) + _cluster.Draw(_cluster.Faults.PollInterval), Compare);
            }
        }

        private void Compare()
        {
            _isLooking = false;
            var document = _cluster.Read(key);
            if (document.Cas == processed || _answer.Task.IsCompleted)
            {
                return;
            }

            if (store.IsCutOff)
            {
                End(new StoreUnavailableException($"Wait for {key}: no answer (simulated)."));
                return;
            }

            _cluster.Trace.Add(store._process.Name, "wait", $"{key} ended: {(document.Exists ? document.Cas.Value : 0)}");
            End(document);
        }

        private void End(StoredDocument document)
        {
            Close();
            _answer.TrySetResult(document);
        }

        private void End(Exception exception)
        {
            Close();
            _answer.TrySetException(exception);
        }

        private void Close()
        {
            if (_changed is null)
            {
                return;
            }

            _registration.Dispose();
            _cluster.EndWatch(key, _changed);
            _changed = null;
            store._waits.Remove(this);
            store.OpenWaits--;
        }
    }
}

using Pub.Simulation.Kernel;
using Pub.Storage;

namespace Pub.Simulation.Store;

internal sealed partial class NodeStore
{
    private enum Fate
    {
        Answered,
        Unavailable,
        UnknownApplied,
        UnknownNotApplied,
        UnknownAppliedLater,
    }

    /// <summary>One operation on its way: to the cluster, where it is applied, and back.</summary>
    private sealed class StoreCall<T>(NodeStore store, StoreOperation operation, DocumentKey key, Func<Task<T>> apply, CancellationToken cancellationToken)
    {
        private readonly TaskCompletionSource<T> _answer = new();
        private readonly SimCluster _cluster = store._cluster;
        private CancellationTokenRegistration _registration;

        public Task<T> Answer => _answer.Task;

        private bool IsWrite => operation is StoreOperation.Insert or StoreOperation.Replace or StoreOperation.Remove or StoreOperation.Increment;

        public void Begin()
        {
            _cluster.Operations[(int)operation]++;
            _registration = cancellationToken.UnsafeRegister(static (state, token) => ((StoreCall<T>)state!)._answer.TrySetCanceled(token), this);
            if (store.TakeHold(operation, key) is { } hold)
            {
                Trace("held");
                hold.Arrive(
                    key,
                    proceed: () => Travel(Fate.Answered),
                    land: () => _ = ArriveAsync(answer: false),
                    fail: End);
                return;
            }

            Travel(DrawFate());
        }

        private Fate DrawFate()
        {
            var faults = _cluster.Faults;
            if (store.IsCutOff)
            {
                return Fate.UnknownNotApplied;
            }

            var drawn = _cluster.Random.NextDouble();
            return (drawn -= faults.Unavailable) < 0 ? Fate.Unavailable
                : !IsWrite ? Fate.Answered
                : (drawn -= faults.UnknownApplied) < 0 ? Fate.UnknownApplied
                : (drawn -= faults.UnknownNotApplied) < 0 ? Fate.UnknownNotApplied
                : drawn - faults.UnknownAppliedLater < 0 ? Fate.UnknownAppliedLater
                : Fate.Answered;
        }

        private void Travel(Fate fate)
        {
            var faults = _cluster.Faults;
            var slow = _cluster.Random.NextDouble() < faults.Slow;
            var there = _cluster.Draw(slow ? faults.SlowLatency : faults.Latency);
            if (fate == Fate.Unavailable)
            {
                _cluster.After(there, () => End(new StoreUnavailableException($"{operation} of {key}: unavailable (simulated).")));
                return;
            }

            if (fate != Fate.Answered || slow)
            {
                _cluster.After(faults.OperationTimeout, TimeOut);
            }

            switch (fate)
            {
                case Fate.Answered:
                    _cluster.After(there, () => _ = ArriveAsync(answer: true));
                    break;
                case Fate.UnknownApplied:
                    _cluster.After(there, () => _ = ArriveAsync(answer: false));
                    break;
                case Fate.UnknownAppliedLater:
                    _cluster.After(faults.OperationTimeout + _cluster.Draw(faults.LongestOnItsWay), () => _ = ArriveAsync(answer: false));
                    break;
            }
        }

        private void TimeOut() => End(IsWrite
            ? new OutcomeUnknownException($"{operation} of {key}: no answer (simulated).")
            : new StoreUnavailableException($"{operation} of {key}: no answer (simulated)."));

        private async Task ArriveAsync(bool answer)
        {
            if (store._process.IsDead && (!IsWrite || _cluster.Random.NextDouble() >= _cluster.Faults.InFlightSurvivesDeath))
            {
                return;
            }

            try
            {
                var result = await apply();
                Trace(Describe(result), answer);
                if (answer)
                {
                    _cluster.After(_cluster.Draw(_cluster.Faults.Latency), () => End(result));
                }
            }
            catch (Exception exception) when (exception is PubException or ArithmeticException)
            {
                Trace(exception.GetType().Name, answer);
                End(exception);
            }
        }

        private void End(T result)
        {
            _registration.Dispose();
            _answer.TrySetResult(result);
        }

        private void End(Exception exception)
        {
            _registration.Dispose();
            if (_answer.TrySetException(exception))
            {
                Trace(exception is OutcomeUnknownException ? "UNKNOWN" : exception is StoreUnavailableException ? "UNAVAILABLE" : exception.GetType().Name);
            }
        }

        private void Trace(string result, bool answer = true) =>
            _cluster.Trace.Add(store._process.Name, Name(operation), answer ? $"{key} {result}" : $"{key} {result} (applied without answer)");

        private static string Describe(T result) => result switch
        {
            WriteResult write => write.IsApplied ? $"applied {write.Cas.Value}" : write.Status.ToString(),
            IncrementResult increment => increment.IsApplied ? $"= {increment.Value}" : increment.Status.ToString(),
            StoredDocument document => document.Exists ? $"{document.Cas.Value}" : "missing",
            Epoch epoch => $"{epoch.High}",
            _ => "",
        };

        private static string Name(StoreOperation operation) => operation switch
        {
            StoreOperation.Get => "get",
            StoreOperation.GetMany => "get many",
            StoreOperation.Insert => "insert",
            StoreOperation.Replace => "replace",
            StoreOperation.Remove => "remove",
            StoreOperation.Increment => "increment",
            StoreOperation.Wait => "wait",
            _ => "epoch",
        };
    }
}

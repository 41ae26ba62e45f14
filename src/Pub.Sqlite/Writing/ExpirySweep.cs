namespace Pub.Sqlite.Writing;

/// <summary>Removes expired documents now and then, some at a time, so that other writes are not held up. Reads hide them before that.</summary>
internal sealed class ExpirySweep : IDisposable
{
    private readonly CancellationTokenSource _stop = new();

    public ExpirySweep(TimeSpan interval, PubRuntime runtime, Func<Task<bool>> sweep) =>
        runtime.Start(() => RunAsync(interval, runtime, sweep, _stop.Token));

    public void Dispose() => _stop.Cancel();

    private static async Task RunAsync(TimeSpan interval, PubRuntime runtime, Func<Task<bool>> sweep, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await runtime.Delay(runtime.Jitter(interval), stop).ConfigureAwait(false);
                while (await sweep().ConfigureAwait(false))
                {
                    await runtime.Delay(TimeSpan.FromMilliseconds(10), stop).ConfigureAwait(false);
                }
            }
            catch (Exception exception) when (exception is PubException or ObjectDisposedException or OperationCanceledException)
            {
                // Cleaning up only: what was not removed now is removed the next time, or by another process.
            }
        }
    }
}

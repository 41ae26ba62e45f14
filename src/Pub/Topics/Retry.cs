namespace Pub.Topics;

/// <summary>The pause between two attempts while the store is away: 10 ms, doubled up to one second, out of step with the others.</summary>
internal static class Retry
{
    private const int LongestMilliseconds = 1000;

    public static Task PauseAsync(PubRuntime runtime, int attempt, CancellationToken cancellationToken = default)
    {
        var pause = TimeSpan.FromMilliseconds(Math.Min(10 << Math.Min(attempt - 1, 10), LongestMilliseconds));
        return runtime.Delay(runtime.Jitter(pause), cancellationToken);
    }
}

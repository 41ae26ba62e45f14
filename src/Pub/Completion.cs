namespace Pub;

/// <summary>
/// Makes every <see cref="TaskCompletionSource"/> of the core: who completes one never runs its waiters' code. A source that runs its continuations
/// asynchronously completes <see cref="Task.WhenAny(Task, Task)"/>, <see cref="Task.WhenAll(Task[])"/> and <c>WaitAsync</c> on the thread pool, which the
/// simulation cannot follow; its context posts every continuation anyhow, so there the source needs no such option
/// (docs/decisions/0002-deterministic-simulation.md).
/// </summary>
internal static class Completion
{
#pragma warning disable RS0030 // the one place that makes them
    public static TaskCompletionSource Source() => new(Options);

    public static TaskCompletionSource<T> Source<T>() => new(Options);
#pragma warning restore RS0030

    private static TaskCreationOptions Options =>
        SynchronizationContext.Current is IPostsEveryContinuation ? TaskCreationOptions.None : TaskCreationOptions.RunContinuationsAsynchronously;
}

/// <summary>A synchronization context that never lets a continuation run inside the call that completed its task.</summary>
internal interface IPostsEveryContinuation;

using System.Collections.Concurrent;

namespace Pub.Tests.Publishing;

/// <summary>Runs everything on the calling thread, in the order in which it was queued, so that counts are the same every time.</summary>
internal sealed class OneThread : SynchronizationContext, IPostsEveryContinuation
{
    private readonly ConcurrentQueue<(SendOrPostCallback Callback, object? State)> _posted = new();

    public override void Post(SendOrPostCallback d, object? state) => _posted.Enqueue((d, state));

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Runs the work until nothing is queued any more, which must be its end.</summary>
    public void Run(Func<Task> work)
    {
        var before = Current;
        SetSynchronizationContext(this);
        try
        {
            var task = work();
            while (_posted.TryDequeue(out var next))
            {
                next.Callback(next.State);
            }

            Assert.True(task.IsCompleted, "Everything has run, and the work has not ended.");
#pragma warning disable xUnit1031 // it has ended
            task.GetAwaiter().GetResult();
#pragma warning restore xUnit1031
        }
        finally
        {
            SetSynchronizationContext(before);
        }
    }

    /// <summary>For <see cref="PubRuntime"/>: background work runs here too.</summary>
    public Task Start(Func<Task> work)
    {
        var done = new TaskCompletionSource();
        Post(
            async _ =>
            {
                await work();
                done.SetResult();
            },
            null);
        return done.Task;
    }
}

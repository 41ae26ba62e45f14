using Microsoft.Extensions.Time.Testing;
using Pub.Storage.Memory;

namespace Pub.Tests.Scheduling;

/// <summary>A store, a clock at 10:04:50, and one process.</summary>
public abstract class SchedulingTest : IAsyncDisposable
{
    protected SchedulingTest()
    {
        Store = new MemoryDocumentStore(Clock);
        Process = new SchedulingProcess(Store, Clock);
    }

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    internal FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 11, 23, 10, 4, 50, TimeSpan.Zero));

    internal MemoryDocumentStore Store { get; }

    internal SchedulingProcess Process { get; }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}

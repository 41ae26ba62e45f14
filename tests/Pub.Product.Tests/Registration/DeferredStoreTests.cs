using Pub.Storage;
using Pub.Storage.Memory;
using Pub.Testing.Storage;

namespace Pub.Product.Tests.Registration;

public sealed class DeferredStoreTests : DocumentStoreContract
{
    private static readonly DocumentKey Any = new(DocumentCollection.Topology, "any");

    protected override ValueTask<IDocumentStore> OpenAsync() => new(Deferred(_ => new(new MemoryDocumentStore())));

    [Fact]
    public async Task AnyCall_FirstOpeningFails_ThrowsAndTheNextOpensIt()
    {
        var attempts = 0;
        await using var store = Deferred(_ => ++attempts == 1 ? throw new PubException("no directory") : new(new MemoryDocumentStore()));
        await Assert.ThrowsAsync<PubException>(async () => await store.GetAsync(Any, Token));
        Assert.False((await store.GetAsync(Any, Token)).Exists);
        Assert.Equal(2, attempts);
    }

    [Fact]
    public async Task AnyCall_ManyAtOnce_OpensOnce()
    {
        var attempts = 0;
        var opened = new TaskCompletionSource<IDocumentStore>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var store = Deferred(async _ =>
        {
            Interlocked.Increment(ref attempts);
            return await opened.Task;
        });
        var calls = Enumerable.Range(0, 8).Select(_ => store.GetAsync(Any, Token).AsTask()).ToArray();
        opened.SetResult(new MemoryDocumentStore());
        await Task.WhenAll(calls);
        Assert.Equal(1, attempts);
    }

    [Fact]
    public async Task AnyCall_TokenCancelledWhileOpening_EndsTheCallAlone()
    {
        var opened = new TaskCompletionSource<IDocumentStore>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var store = Deferred(async _ => await opened.Task);
        using var cancellation = new CancellationTokenSource();
        var call = store.GetAsync(Any, cancellation.Token).AsTask();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        opened.SetResult(new MemoryDocumentStore());
        Assert.False((await store.GetAsync(Any, Token)).Exists);
    }

    [Fact]
    public async Task DisposeAsync_NeverOpened_OpensNothing()
    {
        var store = Deferred(_ => throw new InvalidOperationException("It was opened."));
        await store.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.GetAsync(Any, Token));
    }

    [Fact]
    public async Task DisposeAsync_WhileOpening_ClosesWhatWasOpened()
    {
        var inner = new MemoryDocumentStore();
        var opened = new TaskCompletionSource<IDocumentStore>(TaskCreationOptions.RunContinuationsAsynchronously);
        var store = Deferred(async _ => await opened.Task);
        var call = store.OpenAsync(Token).AsTask();
        var disposal = store.DisposeAsync().AsTask();
        opened.SetResult(inner);
        await disposal;
        await call;
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await inner.GetAsync(Any, Token));
    }

    [Fact]
    public async Task OpenAsync_StoreTakesLessThanRegistered_Throws()
    {
        await using var store = new DeferredStore(int.MaxValue, _ => new(new MemoryDocumentStore()));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await store.OpenAsync(Token));
    }

    private static DeferredStore Deferred(Func<CancellationToken, ValueTask<IDocumentStore>> open) => new(MemoryStoreOptions.DefaultMaxDocumentBytes, open);
}

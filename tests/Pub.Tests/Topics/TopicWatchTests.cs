using System.Collections.Concurrent;
using Pub.Storage;
using Pub.Storage.Memory;
using Pub.Testing;
using Pub.Tests.Publishing;
using Pub.Topics;
using static Pub.Tests.Publishing.PublishingFixture;

namespace Pub.Tests.Topics;

public class TopicWatchTests
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);
    private static readonly int Shard = ShardHash.ShardOf("k", 16);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Watch_TopicThatDoesNotExistYet_IsToldOnceItDoes_AndOfEachAppend()
    {
        await using var fixture = new PublishingFixture();
        var told = new ConcurrentQueue<TopicSnapshot>();
        using var watch = fixture.Watch.Watch(Orders, told.Enqueue);

        await fixture.PublishAsync(Orders, Message("a", "k"));
        await fixture.UntilAsync("tail 1", () => told.LastOrDefault()?[Shard].Tail == new Offset(1), Step);
        await fixture.PublishAsync(Orders, Message("b", "k"));
        await fixture.UntilAsync("tail 2", () => told.Last()[Shard].Tail == new Offset(2), Step);
    }

    [Fact]
    public async Task Watch_TopicKnown_IsToldAtOnce()
    {
        await using var fixture = new PublishingFixture();
        await fixture.PublishAsync(Orders, Message("a", "k"));
        var told = new ConcurrentQueue<TopicSnapshot>();
        using var first = fixture.Watch.Watch(Orders, told.Enqueue);
        await fixture.UntilAsync("the first is told", () => !told.IsEmpty);

        TopicSnapshot? second = null;
        using var watch = fixture.Watch.Watch(Orders, snapshot => second = snapshot);

        Assert.NotNull(second);
    }

    [Fact]
    public async Task Watch_LocalAppend_HandsOverTheEntry()
    {
        await using var fixture = new PublishingFixture();
        var appended = new ConcurrentQueue<(ShardId Shard, Offset Offset, Entry Entry)>();
        using var watch = fixture.Watch.Watch(Orders, _ => { }, (shard, offset, bytes) => appended.Enqueue((shard, offset, EntryCodec.Decode(bytes))));

        var place = (await fixture.PublishAsync(Orders, Message("a", "k"))).Place;

        var (shard, offset, entry) = Assert.Single(appended);
        Assert.Equal((place.Shard, place.Position.Offset), (shard, offset));
        Assert.Equal("a", Assert.Single(entry.Messages).Id);
    }

    [Fact]
    public async Task Watch_WatcherThatThrows_IsToldOfTheNextChange()
    {
        await using var fixture = new PublishingFixture();
        var told = 0;
        using var watch = fixture.Watch.Watch(Orders, snapshot => throw new InvalidOperationException($"{Interlocked.Increment(ref told)}"));

        await fixture.PublishAsync(Orders, Message("a", "k"));
        await fixture.UntilAsync("told", () => Volatile.Read(ref told) > 0, Step);
        var before = Volatile.Read(ref told);
        await fixture.PublishAsync(Orders, Message("b", "k"));
        await fixture.UntilAsync("told again", () => Volatile.Read(ref told) > before, Step);
    }

    [Fact]
    public async Task Watch_SilentTopic_IsWokenByTheBellOfAnotherProcess()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var memory = new MemoryDocumentStore(time);
        await using var reader = new PublishingFixture(new ScriptedStore(memory), time: time);
        await using var writer = new PublishingFixture(new ScriptedStore(memory), time: time);
        await reader.PublishAsync(Orders, Message("first", "k"));
        var told = new ConcurrentQueue<TopicSnapshot>();
        using var watch = reader.Watch.Watch(Orders, told.Enqueue);
        await IdleAsync(reader);

        await writer.PublishAsync(Orders, Message("a", "k"));

        // The clock hardly moves: it is the bell, not the fallback.
        await reader.UntilAsync("the bell is heard", () => told.Last()[Shard].Tail == new Offset(2), TimeSpan.FromMicroseconds(1));
    }

    [Fact]
    public async Task Watch_SilentTopicWhoseBellIsLost_IsReadWithinThirtySeconds()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        await using var reader = new PublishingFixture(new ScriptedStore(new MemoryDocumentStore(time)), time: time);
        await reader.PublishAsync(Orders, Message("first", "k"));
        var told = new ConcurrentQueue<TopicSnapshot>();
        using var watch = reader.Watch.Watch(Orders, told.Enqueue);
        await IdleAsync(reader);
        var silent = time.GetTimestamp();

        await reader.Store.Inner.IncrementAsync(DocumentKeys.Topic(Orders, 0), TopicDocument.TailPath(Shard), 1);
        await reader.UntilAsync("the fallback", () => told.Last()[Shard].Tail == new Offset(2), Step);

        Assert.InRange(time.GetElapsedTime(silent), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(35));
    }

    [Fact]
    public async Task Watch_SilentTopics_CostFewReads()
    {
        const int topics = 50;
        await using var fixture = new PublishingFixture();
        var watches = Enumerable.Range(0, topics).Select(i => fixture.Watch.Watch(TopicName.Topic($"t{i}"), _ => { })).ToList();
        await fixture.UntilAsync("all were read", () => fixture.Store.Count(StoreOperation.Wait) >= topics);
        var start = fixture.Clock.GetTimestamp();
        fixture.Store.ClearCalls();

        await fixture.UntilAsync("two minutes", () => fixture.Clock.GetElapsedTime(start) > TimeSpan.FromMinutes(2), TimeSpan.FromMilliseconds(500));

        var reads = fixture.Store.Count(StoreOperation.Get, DocumentCollection.Offsets) + fixture.Store.Count(StoreOperation.Wait, DocumentCollection.Offsets);
        Assert.InRange(reads, topics, topics * 120 / 20 * 2);
        watches.ForEach(watch => watch.Dispose());
    }

    [Fact]
    public async Task PublishAsync_AfterASilence_RingsOnce_AndNotWhileItGoesOn()
    {
        await using var fixture = new PublishingFixture();
        await fixture.PublishAsync(Orders, Message("a", "k"));
        fixture.Store.ClearCalls();

        await fixture.EndAsync(fixture.Producer.PublishAsync(Orders, Message("b", "k"), Stop).AsTask(), TimeSpan.FromMicroseconds(1));
        Assert.DoesNotContain(fixture.Store.Calls, call => call.Key == DocumentKeys.Bells);

        fixture.Clock.Advance(TimeSpan.FromSeconds(1.5));
        await fixture.EndAsync(fixture.Producer.PublishAsync(Orders, Message("c", "k"), Stop).AsTask(), TimeSpan.FromMicroseconds(1));
        Assert.Equal(StoreOperation.Increment, Assert.Single(fixture.Store.Calls, call => call.Key == DocumentKeys.Bells).Operation);
    }

    [Fact]
    public async Task PublishAsync_BellCannotBeRung_IsConfirmedAllTheSame()
    {
        await using var fixture = new PublishingFixture();
        fixture.Store.Fail(StoreOperation.Increment, StoreFault.Unavailable, key => key == DocumentKeys.Bells);

        Assert.False((await fixture.PublishAsync(Orders, Message("a"))).IsDropped);
    }

    [Fact]
    public async Task Watch_EpochChanged_IsSurfaced_ThoughTheDocumentIsTheSame()
    {
        await using var fixture = new PublishingFixture();
        var epoch = new Epoch(1, 1);
        fixture.Store.Epochs = _ => epoch;
        await fixture.PublishAsync(Orders, Message("a", "k"));
        var told = new ConcurrentQueue<TopicSnapshot>();
        using var watch = fixture.Watch.Watch(Orders, told.Enqueue);
        await fixture.UntilAsync("known", () => told.LastOrDefault()?.Epoch == epoch, Step);

        epoch = new Epoch(1, 2);

        await fixture.UntilAsync("the new epoch", () => told.Last().Epoch == new Epoch(1, 2), Step);
    }

    /// <summary>Until the watch has left its own wait and waits for the bells.</summary>
    private static Task IdleAsync(PublishingFixture reader) =>
        reader.UntilAsync("the topic is idle", () => reader.Store.Calls.Any(call => call.Operation == StoreOperation.Wait && call.Key == DocumentKeys.Bells), Step);
}

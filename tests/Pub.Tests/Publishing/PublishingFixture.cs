using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Pub.Publishing;
using Pub.Storage;
using Pub.Storage.Memory;
using Pub.Testing;
using Pub.Topics;

namespace Pub.Tests.Publishing;

/// <summary>What one process has around a producer, on a scripted store and a clock that the test moves.</summary>
internal sealed class PublishingFixture : IAsyncDisposable
{
    public PublishingFixture(IDocumentStore? shared = null, ProducerOptions? options = null, TimeProvider? time = null, BrokenRules broken = BrokenRules.None, Func<Func<Task>, Task>? start = null)
    {
        Clock = time as FakeTimeProvider ?? new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        Runtime = new PubRuntime(time ?? Clock, seed: 1, start) { Broken = broken };
        Store = shared as ScriptedStore ?? new ScriptedStore(shared ?? new MemoryDocumentStore(Runtime.Time));
        Directory = new TopicDirectory(Store, Runtime, NullLogger<TopicDirectory>.Instance);
        Watch = new TopicWatch(Store, Runtime, Directory, NullLogger<TopicWatch>.Instance);
        Log = new ShardLog(Store, Runtime, PubTimings.Default, NullLogger.Instance);
        Producer = new Producer(Store, Runtime, Directory, Watch, options ?? new ProducerOptions(), NullLogger.Instance);
    }

    public static TopicName Orders { get; } = TopicName.Topic("orders");

    public FakeTimeProvider Clock { get; }

    public PubRuntime Runtime { get; }

    public ScriptedStore Store { get; }

    public TopicDirectory Directory { get; }

    public TopicWatch Watch { get; }

    public ShardLog Log { get; }

    public Producer Producer { get; }

    public static OutgoingMessage Message(string text, string? key = null) =>
        new() { Id = text, Key = key, ContentType = "text/plain", Body = Encoding.UTF8.GetBytes(text) };

    public static bool IsEntry(DocumentKey key) => key.Collection == DocumentCollection.Messages;

    public Task<PublishResult> PublishAsync(TopicName topic, OutgoingMessage message) =>
        EndAsync(Producer.PublishAsync(topic, message, TestContext.Current.CancellationToken).AsTask());

    /// <summary>Polls until the condition holds; moves the clock meanwhile, a little at a time, unless told not to.</summary>
    public async Task UntilAsync(string reason, Func<bool> condition, TimeSpan step = default)
    {
        var limit = Environment.TickCount64 + 20_000;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 < limit, $"Waited in vain: {reason}.");
            if (step > TimeSpan.Zero)
            {
                Clock.Advance(step);
            }

            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Moves the clock until the task has ended.</summary>
    public async Task<T> EndAsync<T>(Task<T> task, TimeSpan? step = null)
    {
        await UntilAsync("the call ends", () => task.IsCompleted, step ?? TimeSpan.FromMilliseconds(100));
        return await task;
    }

    /// <summary>Every entry that counts in a shard, by offset, from its head to its tail.</summary>
    public async Task<IReadOnlyDictionary<long, Entry>> ReadAsync(TopicName topic, int shard)
    {
        var snapshot = (await Directory.RefreshAsync(topic))!;
        var entries = new Dictionary<long, Entry>();
        for (var offset = snapshot[shard].Head.Value; offset <= snapshot[shard].Last.Value; offset++)
        {
            var stored = await Store.Inner.GetAsync(DocumentKeys.Entry(new ShardId(topic, shard), new Offset(offset)));
            if (stored.Exists)
            {
                entries[offset] = EntryCodec.Decode(stored.Content);
            }
        }

        return entries;
    }

    /// <summary>The ids of all messages that count, over all shards, each as often as it is there.</summary>
    public async Task<List<string>> ReadIdsAsync(TopicName topic)
    {
        var ids = new List<string>();
        for (var shard = 0; shard < (await Directory.RefreshAsync(topic))!.ShardCount; shard++)
        {
            ids.AddRange((await ReadAsync(topic, shard)).OrderBy(pair => pair.Key).SelectMany(pair => pair.Value.Messages).Select(message => message.Id));
        }

        return ids;
    }

    /// <summary>Changes a shard's head as a trim does, and removes what is below.</summary>
    public async Task TrimAsync(ShardId shard, long head)
    {
        var key = DocumentKeys.Topic(shard.Topic, 0);
        await new CasLoop(Store.Inner, new PubRuntime(TimeProvider.System)).UpdateAsync(
            key,
            TopicDocument.Format,
            document => document! with { Heads = [.. document.Heads.Select((old, i) => i == shard.Number ? head : old)] },
            WriteOptions.Synced);
        for (var offset = 1; offset < head; offset++)
        {
            await Store.Inner.RemoveAsync(DocumentKeys.Entry(shard, new Offset(offset)));
        }
    }

    /// <summary>Sets a shard's tail as a failover does.</summary>
    public async Task SetTailAsync(ShardId shard, long tail) =>
        await new CasLoop(Store.Inner, new PubRuntime(TimeProvider.System)).UpdateAsync(
            DocumentKeys.Topic(shard.Topic, 0),
            TopicDocument.Format,
            document => document! with { Tails = [.. document.Tails.Select((old, i) => i == shard.Number ? tail : old)] },
            WriteOptions.Synced);

    public async ValueTask DisposeAsync()
    {
        await EndAsync(Producer.DisposeAsync().AsTask().ContinueWith(_ => 0, TaskScheduler.Default));
        await EndAsync(Watch.DisposeAsync().AsTask().ContinueWith(_ => 0, TaskScheduler.Default));
    }
}

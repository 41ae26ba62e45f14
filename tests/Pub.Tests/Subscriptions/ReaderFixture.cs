using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Pub.Leases;
using Pub.Storage;
using Pub.Storage.Memory;
using Pub.Subscriptions;
using Pub.Testing;
using Pub.Topics;
using Pub.Topology;

namespace Pub.Tests.Subscriptions;

/// <summary>What the leases of one consumer need, on a scripted store and a clock that the test moves. One topic with one shard.</summary>
internal sealed class ReaderFixture
{
    private long _tail;
    private long _head = 1;

    public ReaderFixture(ConsumerOptions? options = null, BrokenRules broken = BrokenRules.None, IDocumentStore? store = null)
    {
        Runtime = new PubRuntime(Clock, seed: 1) { Broken = broken };
        Store = new ScriptedStore(store ?? new MemoryDocumentStore(Clock));
        options ??= new ConsumerOptions();
        var directory = new TopicDirectory(Store, Runtime, NullLogger<TopicDirectory>.Instance);
        Context = new ReaderContext
        {
            Store = Store,
            Runtime = Runtime,
            Timings = PubTimings.Default,
            Directory = directory,
            Cache = new EntryCache(Store, 0),
            Log = new ShardLog(Store, Runtime, PubTimings.Default, NullLogger.Instance),
            SetAside = SetAside,
            Subscription = SubscriptionName.Plain("audit"),
            Options = options,
            DeadLetterQueue = TopicName.Queue("audit_dead"),
            Queue = new DeliveryQueue(broken),
            Budget = new PrefetchBudget(options.Prefetch, options.PrefetchBytes),
            Counters = new ConsumerCounters(),
            Logger = NullLogger.Instance,
        };
    }

    public static ShardId Shard { get; } = new(TopicName.Topic("orders"), 0);

    public static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static DocumentKey Key { get; } = DocumentKeys.Cursor(SubscriptionName.Plain("audit"), "1", 0);

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public PubRuntime Runtime { get; }

    public ScriptedStore Store { get; }

    public FakeSetAside SetAside { get; } = new();

    public ReaderContext Context { get; }

    public DeliveryQueue Queue => Context.Queue;

    public ConcurrentQueue<string> Lost { get; } = new();

    public CursorPace Pace { get; } = new(400);

    private SubscriptionSource Source { get; } = new(Shard.Topic, [], [Shard.Topic]);

    private TopicSnapshot Snapshot => new(
        Shard.Topic, new TopicSettings { Shards = 1 }, false, 0, [new ShardState(new Offset(_tail), new Offset(_head), Offset.First, [])], [new Cas(1)]);

    public CursorKeeper Keeper(long token = 1, string session = "a", bool takenFromDead = false) =>
        new(Store, Runtime, Key, new LeaseGrant(0, token, session, takenFromDead), Pace, NullLogger.Instance);

    /// <summary>A reader that nobody runs: for what needs one to point to.</summary>
    public LeaseReader IdleReader() => new(Context, new LeaseGrant(0, 1, "a", false), 1, Keeper(), CursorDocument.Empty, _ => Key);

    public HeldLease Lease(long token = 1, string session = "a", bool takenFromDead = false)
    {
        var grant = new LeaseGrant(0, token, session, takenFromDead);
        return new HeldLease(
            Context, grant, 1, Keeper(token, session, takenFromDead), _ => Key, reader => reader.Observe(Snapshot, Source), (_, why) => Lost.Enqueue(why));
    }

    /// <summary>Deliveries that stand in no log: one message each, keyed as given.</summary>
    public List<Delivery> Deliveries(LeaseReader reader, params string?[] keys)
    {
        var window = new ShardWindow(Shard, new SettledRanges(Position.Beginning), Clock);
        var arrivals = keys.Select(_ => Context.NextArrival()).ToArray();
        return [.. keys.Select((key, i) => new Delivery(
            reader, new WindowSlot(window, new Offset(arrivals[i])), 0, EntryCodec.Decode(Entries.Encode(Entries.Message($"{key}{arrivals[i]}", key))).Messages[0], 1, arrivals[i]))];
    }

    /// <summary>Appends entries to the shard and shows the reader the new tail.</summary>
    public async Task AppendAsync(HeldLease? lease, params ReadOnlyMemory<byte>?[] entries)
    {
        foreach (var entry in entries)
        {
            _tail++;
            if (entry is { } content)
            {
                await Store.Inner.InsertAsync(DocumentKeys.Entry(Shard, new Offset(_tail)), content);
            }
        }

        lease?.Reader?.Observe(Snapshot, Source);
    }

    /// <summary>Raises the head, and shows the reader.</summary>
    public void Trim(HeldLease lease, long head)
    {
        _head = head;
        _tail = Math.Max(_tail, head - 1);
        lease.Reader!.Observe(Snapshot, Source);
    }

    public static ReadOnlyMemory<byte>? One(string id, string? key = null) => Entries.Encode(Entries.Message(id, key));

    /// <summary>The next delivery, as a handler gets it; moves the clock meanwhile.</summary>
    public async Task<Delivery> TakeAsync()
    {
        Delivery? taken = null;
        await UntilAsync("a delivery is ready", () => Queue.TryTake(out taken));
        return taken!;
    }

    public CursorDocument Cursor() => CursorDocument.Read(Key, Store.Inner.GetAsync(Key).AsTask().GetAwaiter().GetResult());

    public Position Floor() => Cursor().Find(Shard)?.Floor ?? Position.Beginning;

    public async Task WriteCursorAsync(CursorDocument cursor)
    {
        var stored = await Store.Inner.GetAsync(Key);
        var result = stored.Exists ? await Store.Inner.ReplaceAsync(Key, cursor.Write(), stored.Cas) : await Store.Inner.InsertAsync(Key, cursor.Write());
        Assert.True(result.IsApplied);
    }

    /// <summary>Polls, and moves the clock a little at a time.</summary>
    public async Task UntilAsync(string reason, Func<bool> condition, int stepMilliseconds = 1)
    {
        var limit = Environment.TickCount64 + 20_000;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 < limit, $"Waited in vain: {reason}.");
            Clock.Advance(TimeSpan.FromMilliseconds(stepMilliseconds));
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }

    public async Task<T> EndAsync<T>(Task<T> task, int stepMilliseconds = 5)
    {
        await UntilAsync("the call ends", () => task.IsCompleted, stepMilliseconds);
        return await task;
    }

    /// <summary>Time for what must not happen to happen.</summary>
    public async Task PassAsync(int milliseconds)
    {
        for (var i = 0; i < milliseconds; i += 5)
        {
            Clock.Advance(TimeSpan.FromMilliseconds(5));
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }
}

/// <summary>Remembers what was set aside.</summary>
internal sealed class FakeSetAside : ISetAside
{
    public ConcurrentQueue<(string Id, int Deliveries, string Reason)> Dead { get; } = new();

    public ConcurrentQueue<(string Id, TimeSpan Delay)> Delayed { get; } = new();

    public int Failures { get; set; }

    public ValueTask DelayAsync(SubscriptionName subscription, MessagePlace place, Message message, int deliveries, TimeSpan delay)
    {
        FailIfTold();
        Delayed.Enqueue((message.Id, delay));
        return default;
    }

    public ValueTask DeadLetterAsync(
        TopicName queue, SubscriptionName subscription, MessagePlace place, Message message, int deliveries, string reason, Exception? exception)
    {
        FailIfTold();
        Dead.Enqueue((message.Id, deliveries, reason));
        return default;
    }

    public ValueTask DeadLetterAsync(TopicName queue, SubscriptionName subscription, ShardId shard, Offset offset, Entry entry)
    {
        FailIfTold();
        Dead.Enqueue((offset.ToString(), 0, DeadLetterReasons.Undecodable));
        return default;
    }

    private void FailIfTold()
    {
        if (Failures > 0)
        {
            Failures--;
            throw new StoreUnavailableException("Told to fail.");
        }
    }
}

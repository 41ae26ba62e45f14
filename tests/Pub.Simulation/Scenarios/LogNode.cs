using System.Text;
using Pub.Simulation.Kernel;
using Pub.Simulation.Store;
using Pub.Storage;
using Pub.Topics;

namespace Pub.Simulation.Scenarios;

internal enum Outcome
{
    Confirmed,
    Failed,
    Unknown,
}

/// <summary>A process that appends to one shard with the steps of the core, and knows what it was told about each append.</summary>
internal sealed class LogNode(Scenario scenario, SimNode node, ShardLog log)
{
    public static readonly TopicName Topic = TopicName.Topic("log");
    public static readonly ShardId Shard = new(Topic, 0);
    public static readonly DocumentKey TopicKey = DocumentKeys.Topic(Topic, 0);

    public NodeStore Store => node.Store;

    public SimNode Node => node;

    public Offset LastConfirmed { get; private set; }

    public static DocumentKey Slot(long offset) => DocumentKeys.Entry(Shard, new Offset(offset));

    public Task<Outcome> AppendAsync(string id, double timeoutSeconds = 600) => node.Process.Do(async () =>
    {
        var writer = new EntryWriter();
        writer.TryAdd(MessageEncoder.Encode(new OutgoingMessage { Id = id, Body = Encoding.UTF8.GetBytes("{}") }, node.Runtime, 1_000_000));
        var appendId = node.Runtime.NewId();
        var entry = writer.Finish(node.Name, appendId, node.Runtime.UnixMilliseconds);
        try
        {
            var result = await log.AppendAsync(Shard, 0, LastConfirmed, appendId, entry, TimeSpan.FromSeconds(timeoutSeconds));
            LastConfirmed = result.Offset;
            scenario.World.Trace.Add(node.Name, "confirmed", $"{id} at {result.Offset}");
            return Outcome.Confirmed;
        }
        catch (OutcomeUnknownException)
        {
            return Outcome.Unknown;
        }
        catch (StoreUnavailableException)
        {
            return Outcome.Failed;
        }
    });

    /// <summary>What a producer leaves that dies between reserve and insert.</summary>
    public Task LeaveHoleAsync() => node.Process.Do(() => log.ReserveAsync(Shard, new Deadline(node.Runtime.Time, TimeSpan.FromMinutes(1))).AsTask());

    public Task<WriteStatus> CloseSlotAsync(long offset) => node.Process.Do(() => log.CloseSlotAsync(Shard, new Offset(offset)).AsTask());

    /// <summary>The offsets at which the message stands, whatever the head.</summary>
    public long[] Places(string id) =>
        [.. Enumerable.Range(1, 100).Where(offset => Entry(offset) is { } entry && entry.Messages.Any(message => message.Id == id)).Select(offset => (long)offset)];

    public Entry? Entry(long offset) => scenario.Cluster.Read(Slot(offset)) is { Exists: true } stored ? EntryCodec.Decode(stored.Content) : null;

    public ShardState State() => TopicDocument.Read(Topic, 0, scenario.Cluster.Read(TopicKey))!.State(0);

    /// <summary>A trim without its rules about who may: raises tail and head, durably, and removes what is below.</summary>
    public Task TrimAsync(long head) => node.Process.Do(async () =>
    {
        var stored = await Store.GetAsync(TopicKey);
        var document = TopicDocument.Read(Topic, 0, stored)!;
        var tail = Math.Max(document.Tails[0], head - 1);
        await Store.ReplaceAsync(TopicKey, (document with { Tails = [tail], Heads = [head], Removed = [head] }).Write(), stored.Cas, WriteOptions.Synced);
        for (var offset = document.Removed[0]; offset < head; offset++)
        {
            await Store.RemoveAsync(Slot(offset));
        }
    });
}

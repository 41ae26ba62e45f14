using Pub.Storage;
using Pub.Topics;
using Pub.Topology;
using Pub.Trimming;

namespace Pub.Control;

/// <summary>Makes, describes, changes and deletes topics and queues. Holds no state.</summary>
internal sealed class TopicAdministration(ControlContext context)
{
    private readonly TopicReaders _readers = new(context.Store, context.Topology);

    public async Task CreateAsync(TopicName topic, TopicSettings settings, CancellationToken cancellationToken)
    {
        var snapshot = await context.Directory.GetOrCreateAsync(topic, settings, cancellationToken);
        if (snapshot.IsClosed || await context.Directory.RefreshAsync(topic, cancellationToken) is { IsClosed: true })
        {
            await context.Catalog.AddAsync(topic, cancellationToken);
            await context.Directory.ReopenAsync(topic, cancellationToken);
        }

        await context.Registry.EnsureAsync(topic, cancellationToken);
    }

    public async Task<TopicDescription> DescribeAsync(TopicName topic, CancellationToken cancellationToken)
    {
        var snapshot = await context.TopicAsync(topic, cancellationToken);
        var readers = await _readers.ReadAsync(topic, cancellationToken);
        var flows = await context.Topology.ReadTopicsAsync([topic.ToString()], cancellationToken);
        var document = flows.GetValueOrDefault(topic.ToString()) ?? TopicTopologyDocument.Empty(topic);
        var ages = await Task.WhenAll(Enumerable.Range(0, snapshot.ShardCount).Select(n => AgeAsync(snapshot, n, cancellationToken)));
        return new TopicDescription
        {
            Name = topic,
            Settings = snapshot.Settings,
            Created = DateTimeOffset.FromUnixTimeMilliseconds(snapshot.CreatedMilliseconds),
            IsTemporary = snapshot.IsTemporary,
            Shards = [.. ages.Select((age, n) => Shard(snapshot[n], n, age))],
            Readers = [.. readers.Select(reader => reader.Name)],
            FlowsInto = [.. document.Into.Select(TopicName.Parse).Order()],
            FlowsFrom = [.. document.From.Select(flow => TopicName.Parse(flow.Topic)).Order()],
        };
    }

    public async Task ChangeRetentionAsync(TopicName topic, TopicSettings wanted, CancellationToken cancellationToken)
    {
        await context.TopicAsync(topic, cancellationToken);
        var settings = TopicSettingsFormat.From(wanted);

        // The loser, mostly to a publisher's increment, reads the tails again. Part 0 counts for all.
        await context.Loop.UpdateAsync(
            DocumentKeys.Topic(topic, 0),
            TopicDocument.Format,
            document => document is null || document.Settings == settings ? null : document with { Settings = settings },
            WriteOptions.Synced,
            cancellationToken: cancellationToken);
        await context.Directory.RefreshAsync(topic, cancellationToken);
    }

    /// <summary>Deletes the log, and with a queue its subscription. Repeated after a crash it goes on.</summary>
    public async Task DeleteAsync(TopicName topic, CancellationToken cancellationToken)
    {
        if (topic.Kind == TopicKind.Queue && await context.Registry.DeleteAsync(SubscriptionName.Queue(topic.Name), cancellationToken))
        {
            return;
        }

        if (await context.Directory.RefreshAsync(topic, cancellationToken) is not { } found)
        {
            throw new NotFoundException($"There is no {topic}.");
        }

        if (found.IsTemporary)
        {
            await context.Eraser.EraseTemporaryAsync(topic, cancellationToken);
            return;
        }

        // A closed shard is one that a deletion left half done: its life is the one before.
        long[] lives = [.. Enumerable.Range(0, found.ShardCount).Select(n => found[n].IsClosed ? found[n].Life - 1 : found[n].Life)];
        await context.Eraser.EraseAsync(topic, lives, cancellationToken);
        await context.Catalog.RemoveAsync(topic, cancellationToken);
        context.Directory.Forget(topic);
    }

    private static ShardDescription Shard(ShardState state, int number, TimeSpan? age) =>
        new(number, state.Last, state.Head, state.Removed, age, state.Fence is { IsPending: true });

    private async Task<TimeSpan?> AgeAsync(TopicSnapshot topic, int number, CancellationToken cancellationToken)
    {
        var state = topic[number];
        var written = await context.Times.WrittenAsync(new ShardId(topic.Name, number), state.SkipJumps(state.Head), state.Last.Next, cancellationToken);
        return written is { } milliseconds ? context.Runtime.Time.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) : null;
    }
}

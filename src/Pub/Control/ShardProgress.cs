using Pub.Storage;
using Pub.Subscriptions;
using Pub.Topics;
using Pub.Topology;

namespace Pub.Control;

/// <summary>Where a subscription stands in one shard, as stored.</summary>
/// <param name="Shard">The shard.</param>
/// <param name="State">The shard itself.</param>
/// <param name="Line">The cursor's line, or the start; at least the head.</param>
internal sealed record ShardProgress(ShardId Shard, ShardState State, ShardCursor Line)
{
    public Offset FirstUnsettled => State.SkipJumps(Line.Floor.Offset);

    public long LagEntries => Line.Floor.Offset > State.Last ? 0 : State.Last.Value - Line.Floor.Offset.Value + 1 - JumpedOffsets();

    public SettledRanges Settled() => new(Line.Floor, Line.Settled);

    private long JumpedOffsets() => State.Jumps.Sum(jump =>
        Math.Max(0, Math.Min(jump.To.Value, State.Last.Value + 1) - Math.Max(jump.From.Value, Line.Floor.Offset.Value)));
}

/// <summary>Reads where subscriptions stand. Holds no state.</summary>
internal sealed class ProgressReader(ControlContext context)
{
    /// <summary>Every shard of every source, ordered by topic and number. Topics that are gone or closed are left out.</summary>
    public async Task<IReadOnlyList<ShardProgress>> ReadAsync(SubscriptionView view, CancellationToken cancellationToken)
    {
        DocumentKey[] keys = [.. Enumerable.Range(0, view.LeaseCount).Select(lease => DocumentKeys.Cursor(view.Name, view.Incarnation, lease))];
        var stored = await context.Store.GetManyAsync(keys, cancellationToken);
        CursorDocument[] cursors = [.. stored.Select((document, lease) => CursorDocument.Read(keys[lease], document))];
        var progress = new List<ShardProgress>();
        foreach (var source in view.Sources)
        {
            if (await context.Directory.RefreshAsync(source.Topic, cancellationToken) is { IsClosed: false } topic)
            {
                progress.AddRange(Enumerable.Range(0, topic.ShardCount).Select(n => Of(source, topic, n, cursors[n % view.LeaseCount])));
            }
        }

        return progress;
    }

    /// <summary>A shard's line in its lease's cursor: what is stored, or the start, and never below the head.</summary>
    public static ShardCursor LineOf(CursorDocument cursor, ShardId shard, SubscriptionSource source, Offset head)
    {
        var line = cursor.Find(shard) ?? ShardCursor.At(shard, source.StartOf(shard.Number));
        if (line.Floor >= Position.StartOf(head))
        {
            return line;
        }

        var settled = new SettledRanges(line.Floor, line.Settled);
        settled.RaiseFloor(Position.StartOf(head));
        return line with { Floor = settled.Floor, Settled = [.. settled.Ranges] };
    }

    private static ShardProgress Of(SubscriptionSource source, TopicSnapshot topic, int number, CursorDocument cursor)
    {
        var shard = new ShardId(topic.Name, number);
        return new ShardProgress(shard, topic[number], LineOf(cursor, shard, source, topic[number].Head));
    }
}

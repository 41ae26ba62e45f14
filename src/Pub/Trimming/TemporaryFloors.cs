using Pub.Storage;
using Pub.Subscriptions;
using Pub.Topics;

namespace Pub.Trimming;

/// <summary>
/// Writes down where the temporary subscriptions that are held here stand, for the trimmers of other processes: once a round, if it has
/// changed, without durability. Nobody ever continues from it. Used by one loop.
/// </summary>
internal sealed class TemporaryFloors(IDocumentStore store, PubRuntime runtime)
{
    private readonly CasLoop _loop = new(store, runtime);
    private readonly Dictionary<DocumentKey, CursorDocument> _written = [];

    public async Task WriteAsync(IReadOnlyList<HeldSubscription> held, CancellationToken cancellationToken)
    {
        foreach (var subscription in held.Where(subscription => subscription.View.IsTemporary && subscription.Leases.Count > 0))
        {
            var key = DocumentKeys.Cursor(subscription.View.Name, subscription.View.Incarnation, lease: 0);
            var cursor = subscription.Shards.Aggregate(
                CursorDocument.Empty, (lines, shard) => subscription.Floor(shard) is { } floor ? lines.With(ShardCursor.At(shard, floor)) : lines);
            if (_written.TryGetValue(key, out var last) && last.Shards.Select(line => (line.Shard, line.Floor)).SequenceEqual(cursor.Shards.Select(line => (line.Shard, line.Floor))))
            {
                continue;
            }

            await _loop.UpdateAsync(key, CursorDocument.Format, _ => cursor.ToStored(), default, cancellationToken: cancellationToken);
            _written[key] = cursor;
        }

        KeepOnly(held);
    }

    private void KeepOnly(IReadOnlyList<HeldSubscription> held)
    {
        var keys = held.Select(subscription => DocumentKeys.Cursor(subscription.View.Name, subscription.View.Incarnation, lease: 0)).ToHashSet();
        foreach (var key in _written.Keys.Where(key => !keys.Contains(key)).ToArray())
        {
            _written.Remove(key);
        }
    }
}

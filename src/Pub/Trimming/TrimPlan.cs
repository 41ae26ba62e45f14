using Pub.Topics;

namespace Pub.Trimming;

/// <summary>What a look at a topic has decided.</summary>
/// <param name="Topic">The topic as it was read first.</param>
/// <param name="Readers">Who reads it, by name.</param>
/// <param name="Heads">By shard how far the head may go; <see cref="Offset.None"/>: nothing to raise, or it is another's to do.</param>
/// <param name="IsOurs">By shard whether this process trims it.</param>
/// <param name="IsAnyones">Whether every process that reads or publishes there trims it.</param>
internal sealed record TrimPlan(TopicSnapshot Topic, IReadOnlyList<TopicReaderView> Readers, Offset[] Heads, bool[] IsOurs, bool IsAnyones)
{
    public bool RaisesPart(int part) => ShardsOf(part).Any(n => Heads[n] > Offset.None);

    public IEnumerable<int> ShardsOf(int part)
    {
        var first = part * DocumentKeys.ShardsPerDocument;
        return Enumerable.Range(first, Math.Min(DocumentKeys.ShardsPerDocument, Topic.ShardCount - first));
    }
}

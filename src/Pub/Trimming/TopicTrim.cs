using Pub.Storage;
using Pub.Topics;
using Pub.Topology;

namespace Pub.Trimming;

/// <summary>How a look at one topic ended.</summary>
/// <param name="IsGone">There is no such topic, or it is closed.</param>
/// <param name="DidSomething">A head was raised, or entries were removed.</param>
/// <param name="HasMore">Entries that this process should remove are left.</param>
/// <param name="Readers">Who reads the topic.</param>
internal readonly record struct TrimResult(bool IsGone, bool DidSomething, bool HasMore, IReadOnlyList<TopicReaderView> Readers);

/// <summary>
/// Trims one topic (docs/decisions/0008-retention.md): plan, raise heads, look again, remove, raise removed. May end anywhere: the next one
/// goes on, for every mark only rises. Used by one loop.
/// </summary>
internal sealed class TopicTrim(
    IDocumentStore store, PubRuntime runtime, TopicDirectory directory, TopologyStore topology, ShardMarks marks, EntryRemoval removal, RetentionOptions options)
{
    /// <summary>Entries of a shard that are removed between two writes of <c>removed</c>.</summary>
    private const int RemovalsPerShard = 512;

    private readonly TrimPlanner _planner = new(store, runtime, directory, topology, options);
    private readonly TrimLeftovers _leftovers = new(runtime);

    public async Task<TrimResult> LookAsync(TopicName name, HeldHere held, bool isAsked, CancellationToken cancellationToken)
    {
        if (await _planner.PlanAsync(name, held, isAsked, cancellationToken) is not { } plan)
        {
            _leftovers.Forget(name);
            return new(IsGone: true, DidSomething: false, HasMore: false, []);
        }

        var takesOver = isAsked || _leftovers.StandStill(plan.Topic);
        var raised = await RaiseAsync(plan, cancellationToken);
        var limits = plan.Heads.Any(head => head > Offset.None)
            ? await _planner.LimitsAsync(plan, raised, held, cancellationToken)
            : [.. raised.Select(shard => shard.Head)];
        var (didSomething, hasMore) = (false, false);
        for (var part = 0; part < plan.Topic.PartCount; part++)
        {
            // What anybody may remove is removed by whoever raised the head; what nobody seems to remove by whoever notices.
            var raisedHere = plan.RaisesPart(part);
            int[] shards = [.. plan.ShardsOf(part).Where(n =>
                raised[n].Removed < limits[n] && (takesOver || (plan.IsOurs[n] && (raisedHere || !plan.IsAnyones))))];
            didSomething |= raisedHere || shards.Length > 0;
            hasMore |= await RemoveAsync(plan, part, shards, raised, limits, cancellationToken);
        }

        return new(IsGone: false, didSomething, hasMore, plan.Readers);
    }

    private async Task<IReadOnlyList<ShardState>> RaiseAsync(TrimPlan plan, CancellationToken cancellationToken)
    {
        ShardState[] states = [.. Enumerable.Range(0, plan.Topic.ShardCount).Select(n => plan.Topic[n])];
        for (var part = 0; part < plan.Topic.PartCount; part++)
        {
            if (plan.RaisesPart(part))
            {
                var shards = plan.ShardsOf(part).ToArray();
                var document = await marks.RaiseHeadsAsync(plan.Topic.Name, part, [.. shards.Select(n => plan.Heads[n])], cancellationToken);
                foreach (var n in document is null ? [] : shards)
                {
                    states[n] = document!.State(n % DocumentKeys.ShardsPerDocument);
                }
            }
        }

        return states;
    }

    /// <returns>Whether something is left.</returns>
    private async Task<bool> RemoveAsync(
        TrimPlan plan, int part, int[] shards, IReadOnlyList<ShardState> states, Offset[] limits, CancellationToken cancellationToken)
    {
        if (shards.Length == 0)
        {
            return false;
        }

        var hasMore = false;
        var reached = new Offset[plan.ShardsOf(part).Count()];
        foreach (var n in shards)
        {
            var next = await removal.RemoveAsync(new ShardId(plan.Topic.Name, n), states[n], limits[n], RemovalsPerShard, cancellationToken);
            reached[n % DocumentKeys.ShardsPerDocument] = next;
            hasMore |= next < limits[n];
        }

        await marks.RaiseRemovedAsync(plan.Topic.Name, part, reached, cancellationToken);
        return hasMore;
    }
}

using Pub.Topics;

namespace Pub.Topology;

/// <summary>
/// Records "C flows into I": C's side first, by which C's trim finds the readers of I; then C's tails; then I's side with them, from which on
/// those readers have a claim (executions.md 8). Who finds a side there leaves it. Holds no state.
/// </summary>
internal sealed class FlowRecorder(PubRuntime runtime, TopicDirectory directory, TopologyStore topology, StartResolver starts)
{
    /// <returns>Whether anything was written.</returns>
    public async Task<bool> RecordAsync(TopicName from, TopicName into, CancellationToken cancellationToken)
    {
        var (source, target) = (from.ToString(), into.ToString());
        await directory.GetOrCreateAsync(from, cancellationToken: cancellationToken);
        var known = await topology.ReadTopicsAsync([source, target], cancellationToken);
        var written = false;
        if (!known.TryGetValue(source, out var sourceSide) || !sourceSide.Into.Contains(target))
        {
            written |= await topology.UpdateTopicAsync(from, document => document.WithInto(target), isDurable: true, cancellationToken);
        }

        if (!known.TryGetValue(target, out var targetSide) || targetSide.FindFlow(source) is null)
        {
            IReadOnlyList<Position> tails = runtime.Breaks(BrokenRules.NoFlowTails) ? [] : await starts.ResolveAsync(from, StartAt.Tail, cancellationToken);
            var flow = new TopicFlow { Topic = source, Starts = StoredPositions.Write(tails) };
            written |= await topology.UpdateTopicAsync(into, document => document.WithFrom(flow), isDurable: true, cancellationToken);
        }

        return written;
    }
}

using Pub.Simulation.Kernel;
using Pub.Storage;
using Pub.Topics;

namespace Pub.Simulation.Core;

/// <summary>Which messages stand in a dead-letter queue, read from the cluster itself.</summary>
internal sealed class DeadLetters(SimWorld world)
{
    public bool Contains(SubscriptionName subscription, string messageId)
    {
        var prefix = $"q:{subscription.Name}_dead/";
        foreach (var (key, content) in world.Cluster.Documents)
        {
            if (key.Collection == DocumentCollection.Messages
                && key.Id.StartsWith(prefix, StringComparison.Ordinal)
                && EntryCodec.Decode(content).Messages.Any(message => message.Id == messageId))
            {
                return true;
            }
        }

        return false;
    }
}

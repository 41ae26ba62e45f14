using Pub.Simulation.Store;
using Pub.Storage;
using Pub.Topics;

namespace Pub.Simulation.Core;

/// <summary>Which messages were written to a dead-letter queue, as the cluster saw it.</summary>
internal sealed class DeadLetters
{
    private readonly HashSet<(string Queue, string Id)> _seen = [];

    public void Observe(AppliedWrite write)
    {
        if (write is { After: not null, Key.Collection: DocumentCollection.Messages } && write.Key.Id.IndexOf("_dead/", StringComparison.Ordinal) is > 0 and var end)
        {
            foreach (var message in EntryCodec.Decode(write.After).Messages)
            {
                _seen.Add((write.Key.Id[..end], message.Id));
            }
        }
    }

    public bool Contains(SubscriptionName subscription, string messageId) => _seen.Contains(($"q:{subscription.Name}", messageId));
}

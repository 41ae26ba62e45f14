using Pub.Subscriptions;

namespace Pub.Control;

/// <summary>Where messages go back to: the own queue of the subscription that set them aside, while there is one.</summary>
internal sealed class RequeueTargets(ControlContext context)
{
    private readonly Dictionary<string, TopicName?> _known = new(StringComparer.Ordinal);

    /// <summary>The target, or null if the message does not say where it came from, or that is gone.</summary>
    public async ValueTask<TopicName?> FindAsync(Message message, TopicName? given, CancellationToken cancellationToken)
    {
        if (given is not null)
        {
            return given;
        }

        if (!message.Headers.TryGetValue(PubHeaders.OriginSubscription, out var text))
        {
            return null;
        }

        if (!_known.TryGetValue(text, out var target))
        {
            _known[text] = target = await OwnQueueAsync(text, cancellationToken);
        }

        return target;
    }

    private async Task<TopicName?> OwnQueueAsync(string subscription, CancellationToken cancellationToken)
    {
        try
        {
            var name = SubscriptionName.Parse(subscription);
            return await context.Registry.FindAsync(name, cancellationToken) is null ? null : name.OwnQueue;
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            return null;
        }
    }
}

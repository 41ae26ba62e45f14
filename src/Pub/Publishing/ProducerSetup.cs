using Microsoft.Extensions.Logging;
using Pub.Topics;
using Pub.Topology;

namespace Pub.Publishing;

/// <summary>What the topics of one producer share.</summary>
internal sealed class ProducerSetup
{
    private long _dropped;

    public required ProducerOptions Options { get; init; }

    public required PubRuntime Runtime { get; init; }

    public required TopicDirectory Directory { get; init; }

    public required TopicWatch Watch { get; init; }

    public required ShardLog Log { get; init; }

    public required ILogger Logger { get; init; }

    public required int MaxDocumentBytes { get; init; }

    /// <summary>The producer's id, in every entry it writes.</summary>
    public required string Writer { get; init; }

    /// <summary>Who makes queues with their subscriptions; null in tests that need only the log.</summary>
    public IQueueCreation? Queues { get; init; }

    /// <summary>Messages dropped because their topic is gone.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    public void CountDropped() => Interlocked.Increment(ref _dropped);

    public EncodedMessage Encode(OutgoingMessage message) => MessageEncoder.Encode(message, Runtime, MaxDocumentBytes);

    /// <summary>Encodes a message that was held; answers why it cannot be.</summary>
    public Exception? TryEncode(PendingPublish pending)
    {
        if (pending.Unencoded is not { } message)
        {
            return null;
        }

        try
        {
            pending.Message = Encode(message);
            pending.Unencoded = null;
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }
}

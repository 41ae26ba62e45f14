using Pub;

namespace MassTransit;

/// <summary>Configures a receive endpoint on Pub: one queue, and one subscription that reads it and the topics of the consumed message types.</summary>
public interface IPubReceiveEndpointConfigurator :
    IReceiveEndpointConfigurator
{
    /// <summary>
    /// The endpoint belongs to this process alone: one shard, nothing durable, removed when it stops, or by other processes when this one is gone. Default
    /// false; <c>TemporaryEndpointDefinition</c> sets it.
    /// </summary>
    bool IsTemporary { set; }

    /// <summary>Bytes read ahead and in flight, beside the prefetch count; 64 KB to 1 GB, default 32 MB.</summary>
    long PrefetchBytes { set; }

    /// <summary>After so many deliveries that ended in an exception out of the endpoint, a message goes to the error queue; 1 to 1,000, default 10.</summary>
    int MaxDeliveryCount { set; }

    /// <summary>How long such a message waits for its next delivery; 0 to 1 day, default 0. With a delay it is written to the endpoint's own queue.</summary>
    TimeSpan UnlockDelay { set; }

    /// <summary>Whether messages past their time to live go to the error queue; default false: they are dropped.</summary>
    bool DeadLetterExpiredMessages { set; }

    /// <summary>Settles all that waits for the endpoint when it starts, unread; default false.</summary>
    bool PurgeOnStartup { set; }

    /// <summary>
    /// For an endpoint with nothing but batch consumers, whose messages have partition keys: what waits of one key is dispatched together, and can be one
    /// batch, in order. Default false: messages of one key come one by one, and each would wait for its batch's time limit. Other consumers
    /// would get messages of one key at the same time.
    /// </summary>
    bool DispatchKeyRuns { set; }

    /// <summary>
    /// Where the endpoint begins to read a topic that it has not read before: <see cref="StartAt.Tail"/> (the default), <see cref="StartAt.Beginning"/>, a time,
    /// or positions. An endpoint that has read the topic goes on where it stood; <c>PubClient.Controller</c> rewinds it.
    /// </summary>
    void StartFrom(StartAt start);

    /// <summary>Reads the topic of a message type, also one that no consumer declares, from a start of its own.</summary>
    void Subscribe<T>(StartAt start = default)
        where T : class;

    /// <summary>Reads a topic by its name.</summary>
    void Subscribe(string topicName, StartAt start = default);
}

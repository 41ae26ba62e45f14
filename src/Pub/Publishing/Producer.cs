using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Pub.Publishing;
using Pub.Storage;
using Pub.Topics;
using Pub.Topology;

namespace Pub;

/// <summary>
/// Publishes messages. One for a process is enough; all members may be called from any thread, concurrently.
/// </summary>
/// <remarks>
/// <para>A call ends when its message is stored durably and will be delivered to every subscription that existed when it began. What waits
/// at the same time is written together, so throughput comes from calling concurrently, not from a call's own speed.</para>
/// <para>Messages with one key are appended in the order of calls, awaited or not. Without a key there is no order.</para>
/// <para>How a call ends that fails: <see cref="StoreUnavailableException"/> and every other <see cref="PubException"/> but one: certainly not published;
/// publish again if it matters. <see cref="OutcomeUnknownException"/>: the message may be delivered; publishing it again may make it two.</para>
/// <para>Cancellation: a message that is not yet part of a write is taken out, the call ends with <see cref="OperationCanceledException"/>, and the
/// message is certainly not sent. Once it is, the token has no effect, and the call waits for the outcome.</para>
/// <para>Body and headers must stay unchanged until the call ends. When <see cref="ProducerOptions.MaxPendingBytes"/> wait for a topic, calls are held back.</para>
/// </remarks>
public sealed class Producer
{
    private readonly ConcurrentDictionary<TopicName, TopicPublisher> _topics = new();
    private readonly ProducerSetup _setup;
    private volatile bool _isDisposed;

    internal Producer(
        IDocumentStore store, PubRuntime runtime, TopicDirectory directory, TopicWatch watch, ProducerOptions options, ILogger logger, PubTimings? timings = null,
        IQueueCreation? queues = null, int reservedBytes = 0)
    {
        _setup = new ProducerSetup
        {
            Options = options.Validated(),
            Runtime = runtime,
            Directory = directory,
            Watch = watch,
            Log = new ShardLog(store, runtime, timings ?? PubTimings.Default, logger, watch.Pending),
            Logger = logger,
            MaxDocumentBytes = store.MaxDocumentBytes - reservedBytes,
            Writer = runtime.NewId(),
            Queues = queues,
        };
    }

    /// <summary>The topics that it publishes to now.</summary>
    internal ICollection<TopicName> Topics => _topics.Keys;

    /// <summary>Messages that this producer dropped, because their topics are gone.</summary>
    public long DroppedMessages => _setup.Dropped;

    /// <summary>Publishes one message. A topic or queue that does not exist is created.</summary>
    /// <param name="topic">The topic or queue.</param>
    /// <param name="message">The message.</param>
    /// <param name="cancellationToken">Takes the message out while it is not part of a write.</param>
    /// <returns>Where the message is.</returns>
    /// <exception cref="MessageTooLargeException">The message is larger than the store allows. Nothing was reserved or written.</exception>
    /// <exception cref="TopicClosedException">The topic takes no messages any more.</exception>
    /// <exception cref="StoreUnavailableException">The store was away for the whole of <see cref="ProducerOptions.PublishTimeout"/>. Certainly not published.</exception>
    /// <exception cref="OutcomeUnknownException">The message may have been published.</exception>
    /// <exception cref="ObjectDisposedException">The producer is disposed of.</exception>
    public ValueTask<PublishResult> PublishAsync(TopicName topic, OutgoingMessage message, CancellationToken cancellationToken = default) =>
        PublishAsync(topic, message, default, cancellationToken);

    /// <summary>Publishes one message, with options of its own: to a shard, or only if the topic exists.</summary>
    /// <inheritdoc cref="PublishAsync(TopicName, OutgoingMessage, CancellationToken)"/>
    /// <param name="topic">The topic or queue.</param>
    /// <param name="message">The message.</param>
    /// <param name="options">How this publish differs from the usual one.</param>
    /// <param name="cancellationToken">Takes the message out while it is not part of a write.</param>
    /// <exception cref="ArgumentOutOfRangeException">The topic has no such shard.</exception>
    public ValueTask<PublishResult> PublishAsync(TopicName topic, OutgoingMessage message, PublishOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        var publisher = Find(topic);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<PublishResult>(cancellationToken);
        }

        var pending = new SinglePublish { Options = options };
        if (publisher.IsFull)
        {
            pending.Unencoded = message;
        }
        else
        {
            pending.Message = _setup.Encode(message);
        }

        pending.CancelWith(cancellationToken);
        Enqueue(topic, publisher, pending);
        return pending.Result;
    }

    /// <summary>Publishes several messages in one call. Each goes where it would go alone; those with one key keep their order.</summary>
    /// <param name="topic">The topic or queue.</param>
    /// <param name="messages">The messages; for none nothing happens. Sizes are checked before anything is written.</param>
    /// <param name="cancellationToken">Takes out the messages that are not part of a write.</param>
    /// <returns>For each message, in the order given, where it is.</returns>
    /// <exception cref="PublishBatchException">Some messages failed, or they failed in different ways; it tells which.</exception>
    /// <inheritdoc cref="PublishAsync(TopicName, OutgoingMessage, CancellationToken)"/>
    public ValueTask<IReadOnlyList<PublishResult>> PublishAsync(
        TopicName topic, IReadOnlyList<OutgoingMessage> messages, CancellationToken cancellationToken = default) =>
        PublishAsync(topic, messages, default, cancellationToken);

    /// <summary>Publishes several messages in one call, with options of its own: to a shard, or only if the topic exists.</summary>
    /// <inheritdoc cref="PublishAsync(TopicName, IReadOnlyList{OutgoingMessage}, CancellationToken)"/>
    /// <param name="topic">The topic or queue.</param>
    /// <param name="messages">The messages; for none nothing happens. Sizes are checked before anything is written.</param>
    /// <param name="options">How this publish differs from the usual one.</param>
    /// <param name="cancellationToken">Takes out the messages that are not part of a write.</param>
    /// <exception cref="ArgumentOutOfRangeException">The topic has no such shard.</exception>
    public ValueTask<IReadOnlyList<PublishResult>> PublishAsync(
        TopicName topic, IReadOnlyList<OutgoingMessage> messages, PublishOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var publisher = Find(topic);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<IReadOnlyList<PublishResult>>(cancellationToken);
        }

        if (messages.Count == 0)
        {
            return new ValueTask<IReadOnlyList<PublishResult>>([]);
        }

        var encoded = new EncodedMessage[messages.Count];
        for (var i = 0; i < encoded.Length; i++)
        {
            encoded[i] = _setup.Encode(messages[i]);
        }

        var batch = new BatchPublish(encoded, options);
        batch.CancelWith(cancellationToken);
        foreach (var pending in batch.Members)
        {
            Enqueue(topic, publisher, pending);
        }

        return new ValueTask<IReadOnlyList<PublishResult>>(batch.Result);
    }

    /// <summary>Waits until everything published so far has ended; later calls throw <see cref="ObjectDisposedException"/>.</summary>
    /// <remarks>
    /// For the client. Not <see cref="IAsyncDisposable"/>: a container that disposed of the producer before the client would cut off consumers
    /// that set messages aside while they stop.
    /// </remarks>
    internal async ValueTask DisposeAsync()
    {
        _isDisposed = true;
        foreach (var publisher in _topics.Values)
        {
            await publisher.StopAsync();
        }
    }

    private TopicPublisher Find(TopicName topic)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        _ = topic.Name;
        return _topics.TryGetValue(topic, out var found)
            ? found
            : _topics.GetOrAdd(topic, static (name, producer) => new TopicPublisher(name, producer._setup, producer.Retire), this);
    }

    private void Enqueue(TopicName topic, TopicPublisher publisher, PendingPublish pending)
    {
        while (!publisher.TryEnqueue(pending))
        {
            if (_isDisposed)
            {
                if (pending.TryClaim())
                {
                    pending.Fail(new ObjectDisposedException(nameof(Producer)));
                }

                return;
            }

            Retire(publisher);
            publisher = Find(topic);
        }
    }

    private void Retire(TopicPublisher publisher) => _topics.TryRemove(KeyValuePair.Create(publisher.Topic, publisher));
}

using Pub.Storage;
using Pub.Topics;

namespace Pub.Scheduling;

/// <summary>The writers of the minutes that this process schedules for. Everything mutable is under <see cref="_lock"/>.</summary>
internal sealed class BucketLocator(ScheduleDirectory directory, ShardLog log, PubRuntime runtime, IDocumentStore store, ScheduleTimings timings)
{
    private const int MaxKnown = 4096;

    private readonly Lock _lock = new();
    private readonly SortedDictionary<BucketMinute, BucketWriter> _known = [];
    private readonly string _writer = runtime.NewId();

    /// <summary>
    /// Appends a message of a bucket, durably: to the bucket of its due time, or to the present one if that is later. In the order of the calls for one key and minute.
    /// </summary>
    /// <exception cref="MessageTooLargeException">The message is larger than an entry can be.</exception>
    /// <exception cref="StoreUnavailableException">It is certainly not stored.</exception>
    /// <exception cref="OutcomeUnknownException">It may be stored.</exception>
    public Task AppendAsync(OutgoingMessage message, DateTimeOffset due) =>
        Find(MinuteOf(due)).AppendAsync(MessageEncoder.Encode(message, runtime, store.MaxDocumentBytes));

    /// <summary>Appends several at once, in as few entries as they fit in. Nothing is appended if one of them is too large.</summary>
    /// <inheritdoc cref="AppendAsync(OutgoingMessage, DateTimeOffset)" path="/exception"/>
    public Task AppendAsync(IEnumerable<ScheduledMessage> messages)
    {
        var minutes = new SortedDictionary<BucketMinute, List<EncodedMessage>>();
        foreach (var scheduled in messages)
        {
            var minute = MinuteOf(scheduled.Due);
            if (!minutes.TryGetValue(minute, out var encoded))
            {
                minutes[minute] = encoded = [];
            }

            encoded.Add(MessageEncoder.Encode(ScheduleHeader.Wrap(scheduled), runtime, store.MaxDocumentBytes));
        }

        return Task.WhenAll(minutes.Select(minute => Find(minute.Key).AppendAsync(minute.Value)));
    }

    private BucketMinute MinuteOf(DateTimeOffset due)
    {
        var now = runtime.Time.GetUtcNow();
        return BucketMinute.Of(due > now ? due : now);
    }

    private BucketWriter Find(BucketMinute minute)
    {
        lock (_lock)
        {
            if (_known.TryGetValue(minute, out var known))
            {
                return known;
            }

            if (_known.Count >= MaxKnown)
            {
                // The oldest: most likely in the past. What waits in it is appended all the same.
                _known.Remove(_known.Keys.First());
            }

            return _known[minute] = new BucketWriter(minute, directory, log, runtime, timings, _writer);
        }
    }
}

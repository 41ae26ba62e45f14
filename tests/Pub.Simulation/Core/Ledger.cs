using Pub.Simulation.Kernel;

namespace Pub.Simulation.Core;

internal enum PublishState
{
    /// <summary>Not answered; for ever so if the publisher's process died.</summary>
    Pending,
    Confirmed,

    /// <summary>Reported as certainly not published.</summary>
    Failed,
    Unknown,
}

internal enum DeliveryEnd
{
    Open,
    Acknowledged,
    Nacked,
    NackedWithDelay,
    DeadLettered,
    Threw,

    /// <summary>Its token was cancelled, or settling said that the lease is lost.</summary>
    Cancelled,
    ProcessDied,
}

/// <summary>What a publisher was told about one message.</summary>
internal sealed class PublishRecord
{
    public required string Id { get; init; }

    public required TopicName Topic { get; init; }

    public string? Key { get; init; }

    /// <summary>Who awaits each publish: order is promised among the messages of one publisher.</summary>
    public required string Publisher { get; init; }

    public required int Sequence { get; init; }

    public required long BegunAt { get; init; }

    public bool IsPoison { get; init; }

    public PublishState State { get; set; }
}

internal sealed class DeliveryRecord
{
    public required SubscriptionRecord Subscription { get; init; }

    public required string MessageId { get; init; }

    public string? Key { get; init; }

    public required SimNode Node { get; init; }

    /// <summary>Over how many leases the keys of its log are spread.</summary>
    public required int Leases { get; init; }

    public required long BegunAt { get; init; }

    public long EndedAt { get; set; }

    public DeliveryEnd End { get; set; }

    /// <summary>Its process was stopped, or its token cancelled, meanwhile: another may run beside it.</summary>
    public bool IsExcused { get; set; }
}

/// <summary>One creation of a subscription, as the harness asked for it.</summary>
internal sealed class SubscriptionRecord(SubscriptionName name, int creation)
{
    private readonly Dictionary<TopicName, long> _readsSince = [];

    public SubscriptionName Name => name;

    public int Creation => creation;

    /// <summary>From when on every message that is published to the topic is promised: when the declaration had returned.</summary>
    public IReadOnlyDictionary<TopicName, long> ReadsSince => _readsSince;

    public bool IsDeleted { get; set; }

    /// <summary>What was published before may have been skipped on purpose.</summary>
    public long SkippedUntil { get; set; } = -1;

    public bool WasRewound { get; set; }

    public void Reads(TopicName topic, long since) => _readsSince.TryAdd(topic, since);

    public override string ToString() => creation == 1 ? name.ToString() : $"{name}#{creation}";
}

/// <summary>All that publishers were told and all that handlers saw, outside of the code under test.</summary>
internal sealed class Ledger(SimWorld world)
{
    private readonly Dictionary<string, PublishRecord> _published = new(StringComparer.Ordinal);
    private readonly Dictionary<(SubscriptionRecord, string), List<DeliveryRecord>> _deliveries = [];
    private readonly Dictionary<(SubscriptionRecord, string), List<DeliveryRecord>> _openByKey = [];
    private int _lastId;

    public IReadOnlyCollection<PublishRecord> Published => _published.Values;

    public List<SubscriptionRecord> Subscriptions { get; } = [];

    public int DeliveryCount { get; private set; }

    public PublishRecord Begin(TopicName topic, string? key, string publisher, int sequence, bool isPoison)
    {
        var record = new PublishRecord
        {
            Id = $"m{++_lastId}",
            Topic = topic,
            Key = key,
            Publisher = publisher,
            Sequence = sequence,
            BegunAt = world.Scheduler.Now,
            IsPoison = isPoison,
        };
        _published.Add(record.Id, record);
        world.Trace.Add(publisher, "publish", $"{record.Id} to {topic} key {key ?? "-"}{(isPoison ? " POISON" : "")}");
        return record;
    }

    public void End(PublishRecord record, PublishState state, string detail = "")
    {
        record.State = state;
        world.Trace.Add(record.Publisher, state.ToString().ToLowerInvariant(), $"{record.Id} {detail}");
    }

    /// <summary>"Cancelled" was answered: it must not have been delivered, and never be.</summary>
    public void Cancelled(PublishRecord record)
    {
        record.State = PublishState.Failed;
        if (Subscriptions.Any(subscription => DeliveriesOf(subscription, record.Id).Count > 0))
        {
            world.Fail($"Invariant 2: {record.Id} was reported as cancelled, and had been delivered.");
        }
    }

    public PublishRecord? Find(string id) => _published.GetValueOrDefault(id);

    public IReadOnlyList<DeliveryRecord> DeliveriesOf(SubscriptionRecord subscription, string id) =>
        _deliveries.TryGetValue((subscription, id), out var list) ? list : [];

    public DeliveryRecord Begin(SubscriptionRecord subscription, SimNode node, string id, string? key, int count, int leases)
    {
        DeliveryCount++;
        var record = new DeliveryRecord
        {
            Subscription = subscription,
            MessageId = id,
            Key = key,
            Node = node,
            Leases = leases,
            BegunAt = world.Scheduler.Now,
        };
        world.Trace.Add(node.Name, "deliver", $"{id} key {key ?? "-"} to {subscription} count {count}");
        Add(_deliveries, (subscription, id), record);
        if (_published.GetValueOrDefault(id) is not { } published)
        {
            world.Fail($"{id} was delivered to {subscription}; nobody published it.");
        }
        else if (published.State == PublishState.Failed)
        {
            world.Fail($"Invariant 2: {id} was reported as certainly failed or cancelled, and is delivered to {subscription}.");
        }

        if (key is not null)
        {
            CheckOverlap(record, key);
        }

        return record;
    }

    public void End(DeliveryRecord record, DeliveryEnd end)
    {
        if (record.End != DeliveryEnd.Open)
        {
            return;
        }

        record.End = end;
        record.EndedAt = world.Scheduler.Now;
        world.Trace.Add(record.Node.Name, "settle", $"{record.MessageId} in {record.Subscription}: {end}");
    }

    private void CheckOverlap(DeliveryRecord record, string key)
    {
        if (_openByKey.TryGetValue((record.Subscription, key), out var open))
        {
            open.RemoveAll(other => other.End != DeliveryEnd.Open);
            foreach (var other in open)
            {
                other.IsExcused |= other.Node.Process.State != ProcessState.Running;
                if (!other.IsExcused && other.Leases == record.Leases)
                {
                    world.Fail(
                        $"Invariant 4: {record.MessageId} on {record.Node.Name} overlaps {other.MessageId} on {other.Node.Name}, both of key {key} in {record.Subscription}.");
                }
            }
        }

        Add(_openByKey, (record.Subscription, key), record);
    }

    private static void Add<TKey>(Dictionary<TKey, List<DeliveryRecord>> lists, TKey key, DeliveryRecord record)
        where TKey : notnull
    {
        if (!lists.TryGetValue(key, out var list))
        {
            lists.Add(key, list = []);
        }

        list.Add(record);
    }
}

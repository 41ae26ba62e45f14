using Pub.Control;

namespace Pub;

/// <summary>
/// Looks at and changes everything that is stored: topics, queues, subscriptions, messages. For tools and operators; safe beside running producers and
/// consumers. Every command that was cut short can be given again, and goes on.
/// </summary>
/// <remarks>
/// Arguments are checked before anything is done. What does not exist is a <see cref="NotFoundException"/> that names it. A change whose outcome is not
/// known ends with <see cref="OutcomeUnknownException"/>: give the command again.
/// </remarks>
public sealed partial class Controller
{
    private const int MaxPeek = 10_000;

    private readonly ControlContext _context;
    private readonly TopicAdministration _topics;
    private readonly TopicResizing _resizing;
    private readonly TailRepair _repair;
    private readonly SubscriptionAdministration _subscriptions;
    private readonly ProgressReader _progress;
    private readonly MessageBrowser _browser;
    private readonly CursorRewind _cursors;
    private readonly MessageRequeue _requeue;
    private readonly HealthFacts _health;

    internal Controller(ControlContext context)
    {
        _context = context;
        _topics = new TopicAdministration(context);
        _resizing = new TopicResizing(context);
        _repair = new TailRepair(context);
        _progress = new ProgressReader(context);
        _subscriptions = new SubscriptionAdministration(context, _progress);
        _browser = new MessageBrowser(context.Store);
        _cursors = new CursorRewind(context);
        _requeue = new MessageRequeue(context, _progress, _browser, _cursors);
        _health = new HealthFacts(context, _subscriptions);
    }

    /// <summary>Makes a topic or queue; one that exists stays as it is. A queue's subscription is made too; it starts at the first entry.</summary>
    /// <exception cref="ArgumentException">A setting is not allowed; the message names it and what is.</exception>
    public Task CreateAsync(TopicName topic, TopicSettings? settings = null, CancellationToken cancellationToken = default)
    {
        settings ??= TopicSettings.Default;
        settings.Validate(Checked(topic));
        return _topics.CreateAsync(topic, settings, cancellationToken);
    }

    /// <summary>A topic or queue, with its shards and who reads it. Costs a read or two a shard.</summary>
    /// <exception cref="NotFoundException">There is none.</exception>
    public Task<TopicDescription> DescribeAsync(TopicName topic, CancellationToken cancellationToken = default) =>
        _topics.DescribeAsync(Checked(topic), cancellationToken);

    /// <summary>A subscription: where it stands in each shard, how far behind, and who holds its leases. Costs about a read a shard.</summary>
    /// <exception cref="NotFoundException">There is none.</exception>
    public async Task<SubscriptionDescription> DescribeAsync(SubscriptionName subscription, CancellationToken cancellationToken = default) =>
        await _subscriptions.DescribeAsync(await _context.SubscriptionAsync(Checked(subscription), cancellationToken), cancellationToken);

    /// <summary>The topics by name, without queues; temporary ones are not listed.</summary>
    /// <param name="after">The <see cref="Page{T}.Next"/> of the page before; null for the first.</param>
    /// <param name="limit">The most names on a page, 1 to 10,000.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<Page<TopicName>> ListTopicsAsync(string? after = null, int limit = 1000, CancellationToken cancellationToken = default) =>
        await PageAsync(() => _context.Catalog.ListTopicsAsync(cancellationToken), name => name.Kind == TopicKind.Topic, after, limit);

    /// <summary>The queues by name.</summary>
    /// <inheritdoc cref="ListTopicsAsync"/>
    public async Task<Page<TopicName>> ListQueuesAsync(string? after = null, int limit = 1000, CancellationToken cancellationToken = default) =>
        await PageAsync(() => _context.Catalog.ListTopicsAsync(cancellationToken), name => name.Kind == TopicKind.Queue, after, limit);

    /// <summary>The subscriptions by name, those of queues among them; temporary ones are not listed.</summary>
    /// <inheritdoc cref="ListTopicsAsync"/>
    public async Task<Page<SubscriptionName>> ListSubscriptionsAsync(string? after = null, int limit = 1000, CancellationToken cancellationToken = default) =>
        await PageAsync(() => _context.Catalog.ListSubscriptionsAsync(cancellationToken), _ => true, after, limit);

    /// <summary>Changes when a topic's entries may go. Takes effect within a minute in all processes.</summary>
    /// <exception cref="ArgumentException">The settings are not allowed for this topic.</exception>
    /// <exception cref="NotFoundException">There is no such topic.</exception>
    public Task ChangeRetentionAsync(TopicName topic, Retention retention, TimeSpan? retentionTime = null, CancellationToken cancellationToken = default)
    {
        var settings = new TopicSettings { Retention = retention, RetentionTime = retentionTime };
        settings.Validate(Checked(topic));
        return _topics.ChangeRetentionAsync(topic, settings, cancellationToken);
    }

    /// <summary>
    /// Gives a topic more shards, while it is used. Keys keep their order: the new shards are read once the old ones have been worked off up to this moment.
    /// </summary>
    /// <param name="topic">The topic or queue.</param>
    /// <param name="shards">The number of shards it shall have: a power of two, not below what it has.</param>
    /// <param name="cancellationToken">Ends the command; give it again to complete it.</param>
    /// <exception cref="ArgumentException">The number is not allowed.</exception>
    /// <exception cref="NotFoundException">There is no such topic.</exception>
    public Task AddShardsAsync(TopicName topic, int shards, CancellationToken cancellationToken = default)
    {
        new TopicSettings { Shards = shards }.Validate(Checked(topic));
        return _resizing.AddAsync(topic, shards, cancellationToken);
    }

    /// <summary>Trims a topic now, and ends when nothing is left to remove. Removes no more a second than the trimming of this process.</summary>
    /// <exception cref="NotFoundException">There is no such topic.</exception>
    public Task TrimAsync(TopicName topic, CancellationToken cancellationToken = default) => _context.Trimmer.TrimAsync(Checked(topic), cancellationToken);

    /// <summary>
    /// Deletes a topic with all it holds, or a queue with its subscription. Publishes to it fail until it is made again. Subscriptions that declare a
    /// topic stay declared, and read it if it is made again.
    /// </summary>
    /// <exception cref="NotFoundException">There is none.</exception>
    public Task DeleteAsync(TopicName topic, CancellationToken cancellationToken = default) => _topics.DeleteAsync(Checked(topic), cancellationToken);

    /// <summary>Deletes a subscription with its progress and its own queue. What reads it stops. The topics keep nothing for it any more.</summary>
    /// <exception cref="NotFoundException">There is none.</exception>
    public async Task DeleteAsync(SubscriptionName subscription, CancellationToken cancellationToken = default)
    {
        if (!await _context.Registry.DeleteAsync(Checked(subscription), cancellationToken))
        {
            throw new NotFoundException($"There is no subscription {subscription}.");
        }
    }

    /// <summary>
    /// After a backup was restored, before the first publish: raises the tails of everything listed above all that is known, so that no offset is handed
    /// out twice. Harmless when it was not needed.
    /// </summary>
    /// <returns>The number of shards raised.</returns>
    public async Task<int> RaiseTailsAsync(CancellationToken cancellationToken = default)
    {
        var raised = 0;
        foreach (var topic in await _context.Catalog.ListTopicsAsync(cancellationToken))
        {
            raised += await _repair.RaiseAsync(topic, cancellationToken);
        }

        return raised;
    }

    /// <summary>What somebody should look at: subscriptions that nobody reads or that lag, commands that were cut short, documents that cannot be read.</summary>
    /// <param name="maxAge">How long a message may wait unsettled; default an hour.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public Task<IReadOnlyList<HealthFact>> FindHealthFactsAsync(TimeSpan? maxAge = null, CancellationToken cancellationToken = default) =>
        _health.FindAsync(maxAge ?? TimeSpan.FromHours(1), cancellationToken);

    private static TopicName Checked(TopicName topic)
    {
        _ = topic.Name;
        return topic;
    }

    private static SubscriptionName Checked(SubscriptionName subscription)
    {
        _ = subscription.Name;
        return subscription;
    }

    private static void CheckPeek(int limit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPeek);
    }

    private static async Task<Page<T>> PageAsync<T>(Func<Task<IReadOnlyList<T>>> list, Func<T, bool> isMeant, string? after, int limit)
        where T : struct
    {
        CheckPeek(limit);
        T[] following = [.. (await list()).Where(isMeant).Where(name => after is null || string.CompareOrdinal(name.ToString(), after) > 0).Take(limit + 1)];
        return following.Length > limit ? new Page<T>(following[..limit], following[limit - 1].ToString()) : new Page<T>(following, null);
    }
}

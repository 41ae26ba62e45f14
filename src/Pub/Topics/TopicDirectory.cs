using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Pub.Storage;

namespace Pub.Topics;

/// <summary>
/// Finds and creates topics. One per process and store.
/// <code>
/// a topic exists ⇔ part 0 exists; then every part exists, and a topic that is not temporary is listed in the catalog
/// the settings of part 0 are the topic's; who wanted others gets these
/// </code>
/// What is remembered is a snapshot of some past moment, replaced by each read; it is never a reason to skip a reservation's own check.
/// </summary>
internal sealed class TopicDirectory(IDocumentStore store, PubRuntime runtime, ILogger<TopicDirectory> logger)
{
    private readonly ConcurrentDictionary<TopicName, TopicSnapshot> _known = new();
    private readonly ConcurrentDictionary<TopicName, bool> _differences = new();
    private readonly Catalog _catalog = new(store, runtime);
    private readonly CasLoop _loop = new(store, runtime);

    /// <summary>The topic as this process knows it (tails as old as that), else as stored; made and listed if there is none.</summary>
    /// <exception cref="ArgumentException">The settings cannot be used.</exception>
    public ValueTask<TopicSnapshot> GetOrCreateAsync(TopicName topic, TopicSettings? wanted = null, CancellationToken cancellationToken = default)
    {
        wanted?.Validate(topic);
        return _known.TryGetValue(topic, out var known)
            ? new ValueTask<TopicSnapshot>(Compared(known, wanted))
            : CreateAsync(topic, wanted, isTemporary: false, cancellationToken);
    }

    /// <summary>The topic as this process knows it, else as stored; null if there is none.</summary>
    public ValueTask<TopicSnapshot?> FindAsync(TopicName topic, CancellationToken cancellationToken = default) =>
        _known.TryGetValue(topic, out var known) ? new ValueTask<TopicSnapshot?>(known) : RefreshAsync(topic, cancellationToken);

    /// <summary>The topic as stored now; null if there is none.</summary>
    /// <exception cref="DocumentFormatException">A part is missing or cannot be read.</exception>
    public async ValueTask<TopicSnapshot?> RefreshAsync(TopicName topic, CancellationToken cancellationToken = default)
    {
        var first = await store.GetAsync(DocumentKeys.Topic(topic, 0), cancellationToken);
        if (TopicDocument.Read(topic, 0, first) is not { } document)
        {
            _known.TryRemove(topic, out _);
            return null;
        }

        var parts = new TopicDocument[TopicDocument.PartCount(document.Shards)];
        var cas = new Cas[parts.Length];
        parts[0] = document;
        cas[0] = first.Cas;
        if (parts.Length > 1)
        {
            var others = await store.GetManyAsync([.. Enumerable.Range(1, parts.Length - 1).Select(part => DocumentKeys.Topic(topic, part))], cancellationToken);
            for (var part = 1; part < parts.Length; part++)
            {
                parts[part] = TopicDocument.Read(topic, part, others[part - 1])
                    ?? throw new DocumentFormatException($"The topic {topic} has {document.Shards} shards, but its document {DocumentKeys.Topic(topic, part)} is missing.");
                cas[part] = others[part - 1].Cas;
            }
        }

        return Remember(TopicSnapshot.From(topic, parts, cas, default));
    }

    /// <summary>Makes the topic of a temporary endpoint: one shard, not listed, not durable.</summary>
    public ValueTask<TopicSnapshot> CreateTemporaryAsync(TopicName topic, CancellationToken cancellationToken = default) =>
        CreateAsync(topic, new TopicSettings { Shards = 1 }, isTemporary: true, cancellationToken);

    /// <summary>Removes the topic of a temporary endpoint; what it still holds is lost. Others' publishes to it are dropped from then on.</summary>
    public async ValueTask RemoveTemporaryAsync(TopicName topic)
    {
        await store.RemoveAsync(DocumentKeys.Topic(topic, 0));
        Forget(topic);
    }

    /// <summary>
    /// Closes every shard's log, durably: later reservations are refused. Closing what is closed changes nothing. Answers the topic afterwards.
    /// Done by CAS rather than by an increment: an increment of unknown outcome, made again, would open the log.
    /// </summary>
    public ValueTask<TopicSnapshot?> CloseAsync(TopicName topic, CancellationToken cancellationToken = default) =>
        ChangeAsync(topic, TopicLives.Closed, cancellationToken);

    /// <summary>Opens a closed topic for appends, durably, with nothing in it: each head is raised above everything there was.</summary>
    public ValueTask<TopicSnapshot?> ReopenAsync(TopicName topic, CancellationToken cancellationToken = default) =>
        ChangeAsync(topic, TopicLives.Reopened, cancellationToken);

    /// <summary>Forgets what this process knows of the topic.</summary>
    public void Forget(TopicName topic) => _known.TryRemove(topic, out _);

    internal TopicSnapshot Remember(TopicSnapshot snapshot) => _known[snapshot.Name] = snapshot;

    private async ValueTask<TopicSnapshot> CreateAsync(TopicName topic, TopicSettings? wanted, bool isTemporary, CancellationToken cancellationToken)
    {
        if (await RefreshAsync(topic, cancellationToken) is { } found)
        {
            return Compared(found, wanted);
        }

        var settings = wanted ?? TopicSettings.Default;
        if (!isTemporary)
        {
            await _catalog.AddAsync(topic, cancellationToken);
        }

        // Part 0 last: with it the topic exists, whole. Who finds a part there already goes on; the numbers in it are as new, for nobody
        // can have reserved in a topic without part 0.
        for (var part = TopicDocument.PartCount(settings.Shards) - 1; part >= 0; part--)
        {
            var document = TopicDocument.Create(topic, part, settings, isTemporary, runtime.UnixMilliseconds);
            await InsertAsync(DocumentKeys.Topic(topic, part), document.Write(), new WriteOptions(Durable: !isTemporary), cancellationToken);
        }

        var created = await RefreshAsync(topic, cancellationToken)
            ?? throw new StoreUnavailableException($"The topic {topic} was removed while it was being created.");
        return Compared(created, wanted);
    }

    /// <summary>An insert that was lost or is of unknown outcome is made again: the first to land counts, and all say the same or lost the race.</summary>
    private async ValueTask InsertAsync(DocumentKey key, ReadOnlyMemory<byte> content, WriteOptions options, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await store.InsertAsync(key, content, options);
                return;
            }
            catch (OutcomeUnknownException) when (attempt < 10)
            {
                await runtime.Delay(runtime.Jitter(TimeSpan.FromMilliseconds(10 << attempt)), cancellationToken);
            }
        }
    }

    private async ValueTask<TopicSnapshot?> ChangeAsync(TopicName topic, Func<TopicDocument, TopicDocument?> change, CancellationToken cancellationToken)
    {
        if (await RefreshAsync(topic, cancellationToken) is not { } found)
        {
            return null;
        }

        for (var part = 0; part < found.PartCount; part++)
        {
            // The loser reads the tails again; a reservation that came between is in the life that ends.
            await _loop.UpdateAsync(
                DocumentKeys.Topic(topic, part), TopicDocument.Format, document => document is null ? null : change(document), WriteOptions.Synced, cancellationToken: cancellationToken);
        }

        return await RefreshAsync(topic, cancellationToken);
    }

    private TopicSnapshot Compared(TopicSnapshot found, TopicSettings? wanted)
    {
        if (wanted is not null && wanted != found.Settings && _differences.TryAdd(found.Name, true))
        {
            TopicLog.SettingsDiffer(logger, found.Name, found.Settings, wanted);
        }

        return found;
    }
}

using Pub.Topics;

namespace Pub.Publishing;

/// <summary>What a producer found when it looked for a topic: its snapshot, or why there is none to append to.</summary>
/// <param name="Snapshot">The topic, open for appends.</param>
/// <param name="Failure">Why nothing can be published now; certainly nothing was.</param>
/// <param name="IsTemporary">The topic is gone and was that of a temporary endpoint: it is not made again.</param>
internal readonly record struct TopicResolution(TopicSnapshot? Snapshot, PubException? Failure = null, bool IsTemporary = false);

/// <summary>Finds, and where allowed makes, the topic that one <see cref="TopicPublisher"/> appends to. Called by one loop at a time.</summary>
internal sealed class TopicResolver(TopicName topic, ProducerSetup setup)
{
    private bool _hasLooked;
    private bool _isTemporary;

    public async Task<TopicResolution> ResolveAsync(bool mayCreate)
    {
        var deadline = new Deadline(setup.Runtime.Time, setup.Options.PublishTimeout);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await ResolveOnceAsync(mayCreate);
            }
            catch (PubException e) when (e.IsTransient)
            {
                if (deadline.IsPast)
                {
                    return new(null, new StoreUnavailableException($"The topic {topic} could not be read or made within {deadline.Limit}; nothing was published.", e));
                }
            }
            catch (PubException e)
            {
                return new(null, e);
            }
            catch (Exception e)
            {
                return new(null, new PubException($"The topic {topic} could not be read or made; nothing was published.", e));
            }

            await Retry.PauseAsync(setup.Runtime, attempt);
        }
    }

    private async Task<TopicResolution> ResolveOnceAsync(bool mayCreate)
    {
        // The first send to a queue makes its subscription too, also when only the log is there yet (executions.md 24).
        if (mayCreate && topic.Kind == TopicKind.Queue && !_isTemporary && setup.Queues is not null)
        {
            await setup.Queues.EnsureAsync(topic);
        }

        // What the process knows may be old; that shows at the first reservation, and then the documents are read.
        var snapshot = _hasLooked ? await setup.Directory.RefreshAsync(topic) : await setup.Directory.FindAsync(topic);
        if (snapshot is { IsClosed: true } && !_hasLooked)
        {
            snapshot = await setup.Directory.RefreshAsync(topic);
        }

        _hasLooked = true;
        if (snapshot is null)
        {
            if (_isTemporary || !mayCreate)
            {
                return new(null, IsTemporary: _isTemporary);
            }

            snapshot = await setup.Directory.GetOrCreateAsync(topic);
        }

        _isTemporary = snapshot.IsTemporary;
        return snapshot.IsClosed
            ? new(null, new TopicClosedException($"The topic {topic} is closed; nothing was published."))
            : new(snapshot);
    }
}

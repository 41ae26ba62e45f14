using Microsoft.Extensions.Logging;
using Pub.Storage;
using Pub.Topics;
using Pub.Topology;

namespace Pub.Trimming;

/// <summary>
/// The process's trimming: one loop over the topics that its subscriptions read and that it publishes to, and trims on demand.
/// What the loop remembers is its own: a trim on demand begins with nothing, and may run beside it.
/// </summary>
internal sealed class Trimmer : IAsyncDisposable
{
    private readonly PubRuntime _runtime;
    private readonly RetentionOptions _options;
    private readonly ITrimSource _source;
    private readonly ILogger<Trimmer> _logger;
    private readonly Func<TopicTrim> _newTrim;
    private readonly TopicTrim _trim;
    private readonly TrimSchedule _schedule;
    private readonly OrphanedTemporaries _orphans;
    private readonly TemporaryFloors _temporaries;
    private readonly CancellationTokenSource _stop = new();
    private Task? _loop;

    public Trimmer(
        IDocumentStore store,
        PubRuntime runtime,
        TopicDirectory directory,
        ISubscriptionRegistry registry,
        ShardMarks marks,
        EntryRemoval removal,
        ITrimSource source,
        RetentionOptions options,
        ILogger<Trimmer> logger)
    {
        _runtime = runtime;
        _options = options.Validated();
        _source = source;
        _logger = logger;
        _newTrim = () => new TopicTrim(store, runtime, directory, new TopologyStore(store, runtime), marks, removal, _options);
        _trim = _newTrim();
        _schedule = new TrimSchedule(runtime, directory, _options.TrimInterval);
        _temporaries = new TemporaryFloors(store, runtime);
        _orphans = new OrphanedTemporaries(store, runtime, registry);
    }

    public void Start() => _loop ??= _runtime.Start(RunAsync);

    /// <summary>Trims a topic now, whoever holds what, until nothing is left to remove.</summary>
    /// <exception cref="NotFoundException">There is no such topic, or it is deleted.</exception>
    public async Task TrimAsync(TopicName topic, CancellationToken cancellationToken = default)
    {
        var trim = _newTrim();
        TrimResult result;
        do
        {
            result = await trim.LookAsync(topic, new HeldHere(_source.Held), isAsked: true, cancellationToken);
        }
        while (result.HasMore);
        if (result.IsGone)
        {
            throw new NotFoundException($"There is no {topic}.");
        }
    }

    /// <summary>Looks once at every topic that is due.</summary>
    /// <returns>Whether more is to remove.</returns>
    public async Task<bool> RoundAsync(CancellationToken cancellationToken)
    {
        var held = _source.Held;
        var here = new HeldHere(held);
        var topics = new SortedSet<TopicName>(held.SelectMany(subscription => subscription.View.Sources).Select(source => source.Topic));
        topics.UnionWith(_source.Published);
        _schedule.KeepOnly(topics);
        await _temporaries.WriteAsync(held, cancellationToken);
        var hasMore = false;
        foreach (var topic in topics)
        {
            try
            {
                if (await _schedule.IsDueAsync(topic, cancellationToken))
                {
                    var result = await _trim.LookAsync(topic, here, isAsked: false, cancellationToken);
                    await _schedule.LookedAsync(topic, result.DidSomething, cancellationToken);
                    await _orphans.RemoveAsync(result.Readers, cancellationToken);
                    hasMore |= result.HasMore;
                }
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                // One topic that cannot be read does not stop the others.
                TrimLog.LookFailed(_logger, topic, e);
            }
        }

        return hasMore;
    }

    public async ValueTask DisposeAsync()
    {
        _stop.Cancel();
        if (_loop is not null)
        {
            await _loop;
        }
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var hasMore = false;
            try
            {
                hasMore = await RoundAsync(_stop.Token);
            }
            catch (Exception e) when (!_stop.IsCancellationRequested)
            {
                TrimLog.RoundFailed(_logger, e);
            }
            catch (Exception) when (_stop.IsCancellationRequested)
            {
                // Whatever ended the round: the next trimmer goes on where it stood.
                return;
            }

            await _runtime.Delay(_runtime.Jitter(hasMore ? TimeSpan.FromMilliseconds(10) : _options.TrimInterval), _stop.Token)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }
}

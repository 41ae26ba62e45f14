using Microsoft.Extensions.Logging;
using Pub.Storage;

namespace Pub.Topics;

/// <summary>
/// Follows one document of a topic: hot, it waits for the document itself; after a time without change it relies on the topic's bell, and
/// reads the document from time to time, so that a lost bell delays but never loses.
/// </summary>
internal sealed class TopicPartLoop(
    WatchedTopic topic, int part, IDocumentStore store, PubRuntime runtime, TopicBells bells, DocumentEpochs epochs, ILogger logger)
{
    /// <summary>A second change within this of the last one means load.</summary>
    private static readonly TimeSpan Close = TimeSpan.FromMilliseconds(3);

    /// <summary>The pause under load: together with <see cref="Close"/>, about 500 reads a second.</summary>
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(4);

    /// <summary>Without change for this long the document is no longer waited for. Well above the silence after which producers ring.</summary>
    private static readonly TimeSpan HotTime = TimeSpan.FromSeconds(5);

    /// <summary>Between two reads of an idle document, lengthened or shortened by a fifth: 20 to 30 s, so that many topics spread out.</summary>
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(25);

    private readonly DocumentKey _key = DocumentKeys.Topic(topic.Name, part);
    private readonly int _bell = TopicBells.BellOf(topic.Name);
    private TopicDocument? _document;
    private Cas _cas;
    private Epoch _epoch;
    private long? _changed;

    public async Task RunAsync(CancellationToken stop)
    {
        var failures = 0;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await FollowAsync(stop);
                failures = 0;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                if (++failures == 1)
                {
                    TopicLog.WatchFailed(logger, e, topic.Name);
                }

                await Retry.PauseAsync(runtime, failures, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            }
        }
    }

    /// <summary>Hot until nothing has changed for a while, then idle until something has.</summary>
    private async Task FollowAsync(CancellationToken stop)
    {
        if (_changed is null)
        {
            await ReadAsync(stop);
        }

        while (true)
        {
            var stored = await store.WaitAsync(_key, _cas, HotTime, stop);
            if (stored.Cas == _cas)
            {
                break;
            }

            await TakeHotAsync(stored, stop);
        }

        while (true)
        {
            // In this order: what is appended after the read rings after the observation.
            var observed = await bells.ObserveAsync(_bell, stop);
            if (await ReadAsync(stop))
            {
                return;
            }

            await bells.WaitAsync(_bell, observed, runtime.Jitter(IdleTime), stop);
            stop.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Passes on a change that ended the wait, and slows down when the last one was just before.</summary>
    private async ValueTask TakeHotAsync(StoredDocument stored, CancellationToken stop)
    {
        var isClose = _changed is { } changed && runtime.Time.GetElapsedTime(changed) < Close;
        var document = TopicDocument.Read(topic.Name, part, stored);
        if (epochs.IsConstant || !HasFallen(document))
        {
            Take(document, stored.Cas, _epoch);
        }
        else
        {
            await ReadAsync(stop);
        }

        if (isClose)
        {
            await runtime.Delay(Pace, stop);
        }
    }

    /// <summary>
    /// Reads the epoch and then the document, and passes on what differs: the epoch that goes with a state is never newer than the state, so a failover
    /// in between shows with the next. True: the document has changed.
    /// </summary>
    private async ValueTask<bool> ReadAsync(CancellationToken stop)
    {
        var epoch = await epochs.ReadAsync(_key, stop);
        var stored = await store.GetAsync(_key, stop);
        var hasChanged = _changed is null || stored.Cas != _cas;
        if (hasChanged || epoch != _epoch)
        {
            Take(hasChanged ? TopicDocument.Read(topic.Name, part, stored) : _document, stored.Cas, epoch);
        }

        return hasChanged;
    }

    private void Take(TopicDocument? document, Cas cas, Epoch epoch)
    {
        (_document, _cas, _epoch, _changed) = (document, cas, epoch, runtime.Time.GetTimestamp());
        topic.Update(part, document, cas, epoch);
    }

    /// <summary>What a failover does; then the epoch must be asked for.</summary>
    private bool HasFallen(TopicDocument? document)
    {
        if (_document is null || document is null || document.Tails.Length != _document.Tails.Length)
        {
            return true;
        }

        for (var i = 0; i < document.Tails.Length; i++)
        {
            if (document.Tails[i] < _document.Tails[i])
            {
                return true;
            }
        }

        return false;
    }
}

using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using Pub.Storage;

namespace Pub.Topics;

/// <summary>
/// Counters that many topics share (docs/documents.md, "offsets"): a producer that appends after a silence rings its topic's, so that nobody has to
/// poll silent topics one by one. Who waits: observes the counter, then reads what it guards, then waits for the counter to differ from what was
/// observed; a ring in between ends the wait at once.
/// <code>
/// what is observed is never newer than what was stored at that moment; one wait loop per process, only while somebody waits
/// </code>
/// One lock guards the fields.
/// </summary>
internal sealed class TopicBells(IDocumentStore store, PubRuntime runtime, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan WaitTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(5);

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource?[] _rung = new TaskCompletionSource?[BellsDocument.Count];
    private long[]? _counters;
    private Cas _cas;
    private int _waiting;
    private Task? _loop;

    public static int BellOf(TopicName topic) => NameHash.Spread(topic.ToString(), BellsDocument.Count);

    /// <summary>Rings a topic's bell. Not durable, and a failure is only logged: readers look by themselves from time to time.</summary>
    public async ValueTask RingAsync(TopicName topic)
    {
        try
        {
            var path = new CounterPath("n", BellOf(topic));
            if ((await store.IncrementAsync(DocumentKeys.Bells, path, 1)).Status == WriteStatus.Missing)
            {
                await store.InsertAsync(DocumentKeys.Bells, BellsDocument.Format.Write(new BellsDocument()));
                await store.IncrementAsync(DocumentKeys.Bells, path, 1);
            }
        }
        catch (Exception e)
        {
            TopicLog.RingFailed(logger, e, topic);
        }
    }

    /// <summary>The counter as this process last saw it.</summary>
    public async ValueTask<long> ObserveAsync(int bell, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_counters is not null)
            {
                return _counters[bell];
            }
        }

        var stored = await store.GetAsync(DocumentKeys.Bells, cancellationToken);
        var read = Read(stored);
        lock (_lock)
        {
            if (_counters is null)
            {
                _counters = read;
                _cas = stored.Cas;
            }

            return _counters[bell];
        }
    }

    /// <summary>Waits until the counter differs from what was observed, or the time has passed.</summary>
    public async Task WaitAsync(int bell, long observed, TimeSpan timeout, CancellationToken cancellationToken)
    {
        TaskCompletionSource rung;
        lock (_lock)
        {
            if (_counters is null || _counters[bell] != observed)
            {
                return;
            }

            rung = _rung[bell] ??= Completion.Source();
            _waiting++;
            if (_loop is null && !_stop.IsCancellationRequested)
            {
                _loop = runtime.Start(RunAsync);
            }
        }

        await rung.Task.WaitAsync(timeout, runtime.Time, cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        lock (_lock)
        {
            _waiting--;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _stop.Cancel();
        Task? loop;
        lock (_lock)
        {
            loop = _loop;
        }

        await (loop ?? Task.CompletedTask);
        _stop.Dispose();
    }

    private static long[] Read(StoredDocument stored) => BellsDocument.Format.Read(DocumentKeys.Bells, stored)?.Counters() ?? new long[BellsDocument.Count];

    private async Task RunAsync()
    {
        for (var failures = 0; ;)
        {
            try
            {
                Cas seen;
                lock (_lock)
                {
                    if (_waiting == 0 || _stop.IsCancellationRequested)
                    {
                        _loop = null;
                        return;
                    }

                    seen = _cas;
                }

                var stored = await store.WaitAsync(DocumentKeys.Bells, seen, WaitTime, _stop.Token);
                failures = 0;
                if (stored.Cas != seen)
                {
                    Take(stored);
                    await runtime.Delay(Pace, _stop.Token);
                }
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
            }
            catch (Exception e)
            {
                if (++failures == 1)
                {
                    TopicLog.BellsFailed(logger, e);
                }

                await Retry.PauseAsync(runtime, failures);
            }
        }
    }

    private void Take(StoredDocument stored)
    {
        var read = Read(stored);
        var rung = new List<TaskCompletionSource>();
        lock (_lock)
        {
            for (var bell = 0; bell < read.Length; bell++)
            {
                if (read[bell] != _counters![bell] && _rung[bell] is { } waiting)
                {
                    rung.Add(waiting);
                    _rung[bell] = null;
                }
            }

            _counters = read;
            _cas = stored.Cas;
        }

        rung.ForEach(waiting => waiting.TrySetResult());
    }
}

/// <summary>The bells as stored.</summary>
internal sealed record BellsDocument
{
    public const int Count = 64;

    public static readonly DocumentFormat<BellsDocument> Format = new("bells", 1, BellsFormatContext.Default.BellsDocument);

    public long[] N { get; init; } = new long[Count];

    public long[] Counters() => N.Length == Count ? N : throw new DocumentFormatException($"The bells document has {N.Length} counters, not {Count}.");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BellsDocument))]
internal sealed partial class BellsFormatContext : JsonSerializerContext;

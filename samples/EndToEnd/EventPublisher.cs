using System.Diagnostics;
using Pub;

namespace EndToEnd;

/// <summary>Publishes the rounds: many calls at a time, which the producer gathers into few writes; with a rate limit each at its time.</summary>
internal sealed class EventPublisher(Producer producer, TopicName topic, string run, Settings settings, Tally tally)
{
    private const int Callers = 64;

    /// <summary>Publishes all rounds. Stops at the first publish that fails, with its exception: then not every event can arrive.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        for (var round = 1; round <= settings.PublishRounds; round++)
        {
            var first = (round - 1) * settings.EventCount;
            var next = -1;
            var start = Stopwatch.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, Math.Min(Callers, settings.EventCount)).Select(_ => Task.Run(CallAsync, CancellationToken.None)));

            async Task CallAsync()
            {
                try
                {
                    while (Interlocked.Increment(ref next) is var number && number < settings.EventCount && !failed.IsCancellationRequested)
                    {
                        await WaitForTurnAsync(number, start, failed.Token);
                        await PublishAsync(new Event(run, round, first + number), failed.Token);
                    }
                }
                catch (OperationCanceledException) when (failed.IsCancellationRequested)
                {
                }
                catch
                {
                    await failed.CancelAsync();
                    throw;
                }
            }
        }
    }

    private async Task WaitForTurnAsync(int number, long start, CancellationToken cancellationToken)
    {
        if (settings.PublishMessagesPerSecond > 0)
        {
            var wait = TimeSpan.FromSeconds((double)number / settings.PublishMessagesPerSecond) - Stopwatch.GetElapsedTime(start);
            if (wait > TimeSpan.Zero)
            {
                await Task.Delay(wait, cancellationToken);
            }
        }
    }

    private async Task PublishAsync(Event item, CancellationToken cancellationToken)
    {
        tally.Publishing(item.Number);
        var result = await producer.PublishAsync(topic, item.ToMessage(), cancellationToken);
        tally.ConfirmedAt(result.Place.Shard.Number);
    }
}

using System.Text;
using Pub.Simulation.Kernel;

namespace Pub.Simulation.Core;

/// <summary>One publisher: picks a process, awaits each keyed publish, lets bursts of keyless ones go together, and writes down what it is told.</summary>
internal sealed class PublisherActor(CoreSimulation run, int index)
{
    private int _sequence;

    public async Task RunAsync()
    {
        var messages = Math.Max(1, run.Knobs.Messages / run.Knobs.Publishers);
        var pause = run.Knobs.Duration.TotalSeconds / messages * 2;
        for (var published = 0; published < messages && !run.IsOver;)
        {
            await run.DelayUnlessOver(run.Random.Next(3) == 0 ? pause * 2 * run.Random.NextDouble() : 0.01 * run.Random.NextDouble());
            if (run.Fleet.Any() is not { } node)
            {
                await run.DelayUnlessOver(1);
                continue;
            }

            published += await PublishAsync(node);
        }
    }

    private async Task<int> PublishAsync(CoreNode node)
    {
        var random = run.Random;
        var topic = run.Topics[random.Next(run.Topics.Count)];
        if (random.NextDouble() < run.Knobs.ScheduledShare)
        {
            await ScheduleAsync(node, topic);
            return 1;
        }

        var count = random.NextDouble() < run.Knobs.BatchShare ? random.Next(2, 20) : 1;
        if (random.NextDouble() < run.Knobs.KeylessShare)
        {
            var burst = Enumerable.Range(0, count).Select(_ => Begin(node, topic, null)).ToArray();
            int? shard = random.Next(8) == 0 ? random.Next(topic.Shards) : null;
            await Task.WhenAll(burst.Select(record => SendAsync(node, record, shard)));
            return count;
        }

        var key = $"k{random.Next(run.Knobs.Keys)}";
        if (count == 1)
        {
            await SendAsync(node, Begin(node, topic, key), null);
        }
        else
        {
            await SendBatchAsync(node, [.. Enumerable.Range(0, count).Select(_ => Begin(node, topic, key))]);
        }

        return count;
    }

    private PublishRecord Begin(CoreNode node, SimTopic topic, string? key) =>
        run.Ledger.Begin(topic.Name, key, $"{node.Name}.p{index}", ++_sequence, run.Operator.TakePoison());

    private static OutgoingMessage Message(PublishRecord record) =>
        new() { Id = record.Id, Key = record.Key, Body = Encoding.UTF8.GetBytes($$"""{"n":"{{record.Id}}"}""") };

    private async Task SendAsync(CoreNode node, PublishRecord record, int? shard)
    {
        try
        {
            var result = await node.PublishAsync(record.Topic, Message(record), new PublishOptions { Shard = shard });
            run.Ledger.End(record, PublishState.Confirmed, $"at {result.Place}");
        }
        catch (OperationCanceledException)
        {
            // its process died: nobody was told anything
        }
        catch (Exception exception)
        {
            End(record, exception);
        }
    }

    private async Task ScheduleAsync(CoreNode node, SimTopic topic)
    {
        var record = Begin(node, topic, null);
        var token = run.Random.Next(2) == 0 ? $"token-{record.Id}" : null;
        var delay = TimeSpan.FromSeconds((run.Random.NextDouble() * 20) - 2);
        try
        {
            await node.ScheduleAsync(record.Topic, Message(record), delay, token);
            run.Ledger.End(record, PublishState.Confirmed, $"scheduled in {delay}");
        }
        catch (OperationCanceledException)
        {
        }
        catch (Exception exception)
        {
            End(record, exception);
        }

        if (token is not null && run.Random.NextDouble() < run.Knobs.CancelledShare)
        {
            run.Fleet.Begin(CancelAsync(record, token, delay));
        }
    }

    private async Task CancelAsync(PublishRecord record, string token, TimeSpan delay)
    {
        await run.DelayUnlessOver(Math.Max(0, delay.TotalSeconds + run.Random.NextDouble() - 0.7));
        if (run.Fleet.Any() is not { } node)
        {
            return;
        }

        var before = record.State;
        record.State = before == PublishState.Failed ? before : PublishState.Unknown;
        try
        {
            var result = await node.CancelAsync(token);
            run.World.Trace.Add(node.Name, "cancel", $"{record.Id}: {result}");
            if (result != CancelResult.Cancelled)
            {
                record.State = before;
            }
            else if (before == PublishState.Confirmed)
            {
                run.Ledger.Cancelled(record);
            }
        }
        catch (Exception exception) when (exception is PubException or ObjectDisposedException or OperationCanceledException)
        {
            run.World.Trace.Add(node.Name, "cancel", $"{record.Id}: {exception.Message}");
        }
    }

    private async Task SendBatchAsync(CoreNode node, PublishRecord[] records)
    {
        try
        {
            var results = await node.PublishAsync(records[0].Topic, [.. records.Select(Message)]);
            for (var i = 0; i < records.Length; i++)
            {
                run.Ledger.End(records[i], PublishState.Confirmed, $"at {results[i].Place}");
            }
        }
        catch (OperationCanceledException)
        {
        }
        catch (PublishBatchException exception)
        {
            for (var i = 0; i < records.Length; i++)
            {
                if (exception.Failures[i] is { } failure)
                {
                    End(records[i], failure);
                }
                else
                {
                    run.Ledger.End(records[i], PublishState.Confirmed, "in a batch");
                }
            }
        }
        catch (Exception exception)
        {
            foreach (var record in records)
            {
                End(record, exception);
            }
        }
    }

    private void End(PublishRecord record, Exception exception)
    {
        switch (exception)
        {
            case OutcomeUnknownException:
                run.Ledger.End(record, PublishState.Unknown);
                break;
            case PublishBatchException or PubException or ObjectDisposedException or ArgumentOutOfRangeException:
                run.Ledger.End(record, PublishState.Failed, exception.Message);
                break;
            default:
                run.World.Fail($"A publish ended with {exception}");
                break;
        }
    }
}

using Pub.Simulation.Kernel;

namespace Pub.Simulation.Core;

/// <summary>A handler as people write them: takes its time, minds its token, and now and then fails, sends back, sets aside, or takes its process down.</summary>
internal sealed class HandlerActor(CoreSimulation run, CoreNode node, SubscriptionRecord subscription, List<DeliveryRecord> open)
{
    private int _running;

    public async Task HandleAsync(Delivery delivery, CancellationToken cancelled)
    {
        var record = run.Ledger.Begin(subscription, node.Node, delivery.Message.Id, delivery.Message.Key, delivery.DeliveryCount, run.LeasesOf(delivery.Place.Shard.Topic));
        open.Add(record);
        if (++_running > run.Knobs.Concurrency)
        {
            run.World.Fail($"Invariant 8: {node.Name} handles {_running} messages of {subscription} at a time; {run.Knobs.Concurrency} are allowed.");
        }

        using var registration = cancelled.UnsafeRegister(static state => ((DeliveryRecord)state!).IsExcused = true, record);
        try
        {
            await SpendTimeAsync(delivery, cancelled);
            await EndAsync(delivery, record);
        }
        catch (OperationCanceledException)
        {
            run.Ledger.End(record, DeliveryEnd.Cancelled);
            throw;
        }
        finally
        {
            _running--;
            open.Remove(record);
        }
    }

    private async Task SpendTimeAsync(Delivery delivery, CancellationToken cancelled)
    {
        var random = run.Random;
        if (run.Ledger.Find(delivery.Message.Id) is { IsPoison: true })
        {
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, 200)), node.Node.Process.Clock, cancelled);

            // In the harness's own process: this one ends here.
            _ = run.World.Test.Do(() =>
            {
                run.Chaos.KillAndRestart(node);
                return Task.CompletedTask;
            });
            await Task.Delay(Timeout.InfiniteTimeSpan, node.Node.Process.Clock, cancelled);
        }

        var seconds = random.NextDouble() < run.Knobs.LongHandlers ? 5 + (10 * random.NextDouble())
            : random.Next(4) switch { 0 => 0.2 * random.NextDouble(), 1 => 0.005, _ => 0 };
        if (seconds > 0)
        {
            await Task.Delay(TimeSpan.FromSeconds(seconds), node.Node.Process.Clock, cancelled);
        }
    }

    // What the ledger is told comes first: the next delivery of the key may begin before a settling call comes back.
    private async Task EndAsync(Delivery delivery, DeliveryRecord record)
    {
        var (knobs, drawn) = (run.Knobs, run.Random.NextDouble());
        if ((drawn -= knobs.Nacks) < 0)
        {
            if (run.Random.Next(2) == 0)
            {
                run.Ledger.End(record, DeliveryEnd.Threw);
                throw new InvalidDataException("A handler failed (simulated).");
            }

            run.Ledger.End(record, DeliveryEnd.Nacked);
            delivery.Nack();
        }
        else if ((drawn -= knobs.DelayedNacks) < 0)
        {
            run.Ledger.End(record, DeliveryEnd.NackedWithDelay);
            await TryAsync(() => delivery.NackAsync(TimeSpan.FromSeconds(5 * run.Random.NextDouble())));
        }
        else if (drawn - knobs.DeadLetters < 0)
        {
            run.Ledger.End(record, DeliveryEnd.DeadLettered);
            await TryAsync(() => delivery.DeadLetterAsync("simulated"));
        }
        else
        {
            run.Ledger.End(record, delivery.Ack() ? DeliveryEnd.Acknowledged : DeliveryEnd.Cancelled);
        }
    }

    private async Task TryAsync(Func<ValueTask<bool>> settle)
    {
        try
        {
            await settle();
        }
        catch (PubException exception)
        {
            run.World.Trace.Add(node.Name, "returned", exception.Message);
        }
    }
}

using Pub.Simulation.Store;
using Pub.Topics;

namespace Pub.Simulation.Scenarios;

/// <summary>Executions 3, 4, 9, 10, 15, 17 and 31, and rules of gaps and trimming, with the whole core.</summary>
public sealed class ConsumingScenarios
{
    private static readonly TopicName T = TopicName.Topic("t");
    private static readonly SubscriptionName S = SubscriptionName.Plain("s");

    [Fact]
    public void Failover_TailFellAndNobodyPublishesAgain_AllIsDelivered() => Scenario.IsCaught(BrokenRules.NoProbe, async s =>
    {
        var (reader, producer) = (new ClientNode(s, "r"), new ClientNode(s, "p"));
        await reader.CreateAsync(T);
        await reader.SubscribeAsync(S, T);
        reader.Store.IsCutOff = true;
        await producer.PublishAsync(T, "a");
        await producer.PublishAsync(T, "b");
        s.Cluster.FailOver(SimCluster.GroupOf(DocumentKeys.Topic(T, 0)), TimeSpan.FromMinutes(1));
        await s.Delay(1);
        reader.Store.IsCutOff = false;
        await s.Delay(90);
        s.Check(reader.Received.Count == 2, $"{reader.Received.Count} of 2 confirmed messages were delivered.");
    });

    [Fact]
    public void Hole_FilledWhileTheEntryAboveIsRead_OrderIsKept() => Scenario.IsCaught(BrokenRules.NoHoleReread, async s =>
    {
        // The publisher has a confirmed at 2, then b at 3; the reader looked at 2 before and at 3 after.
        var (reader, producer) = (new ClientNode(s, "r"), new ClientNode(s, "p"));
        await reader.CreateAsync(T);
        await reader.SubscribeAsync(S, T);
        await producer.PublishAsync(T, "first");
        await s.Delay(1);
        var insert = producer.Store.HoldNext(StoreOperation.Insert, "t:t/0/2");
        var a = producer.PublishAsync(T, "a");
        await insert.Arrived;
        await s.Delay(1);
        var look = reader.Store.HoldNext(StoreOperation.Get, "t:t/0/2");
        await look.Arrived;
        look.Proceed();
        await s.Delay(0.004);
        insert.Proceed();
        await a;
        await producer.PublishAsync(T, "b");
        await s.Delay(5);
        s.Check(string.Join(' ', reader.Received) == "first a b", $"Delivered were: {string.Join(' ', reader.Received)}.");
    });

    [Fact]
    public void Hole_LastMessageOfABurst_IsFoundWithoutALaterPublish() => Scenario.IsCaught(BrokenRules.NoWakeForHoles, async s =>
    {
        var (reader, producer) = (new ClientNode(s, "r"), new ClientNode(s, "p"));
        await reader.CreateAsync(T);
        await reader.SubscribeAsync(S, T);
        var insert = producer.Store.HoldNext(StoreOperation.Insert, "t:t/0/1");
        var publish = producer.PublishAsync(T, "a");
        await insert.Arrived;
        await s.Delay(1);
        insert.Proceed();
        await publish;
        await s.Delay(5);
        s.Check(reader.Received.Count == 1, "The reader woke on the increment, found a hole, and never looked again.");
    });

    [Fact]
    public void Hole_PassedByTheReader_CannotBeFilledAnyMore() => Scenario.IsCaught(BrokenRules.NoTombstone, async s =>
    {
        // Kept for an hour: no trim raises the head, which would save the slow one.
        var (reader, slow, other) = (new ClientNode(s, "r"), new ClientNode(s, "p"), new ClientNode(s, "q"));
        await reader.CreateAsync(T, keepFor: TimeSpan.FromHours(1));
        await reader.SubscribeAsync(S, T);
        var insert = slow.Store.HoldNext(StoreOperation.Insert, "t:t/0/1");
        var publish = slow.PublishAsync(T, "a");
        await insert.Arrived;
        await other.PublishAsync(T, "b");
        await s.Delay(20);
        insert.Proceed();
        var outcome = await publish;
        await s.Delay(20);
        s.Check(outcome != Outcome.Confirmed || reader.Received.Contains("a"), "a was confirmed in a slot that its reader had passed.");
    });

    [Fact]
    public void Start_BelowTheHead_SlotsBelowAreNotWaitedFor() => Scenario.IsCaught(BrokenRules.NoHead, async s =>
    {
        var (trimmer, reader) = (new RegistryNode(s, "n"), new ClientNode(s, "r"));
        await trimmer.CreateAsync(T);
        for (var i = 0; i < 3; i++)
        {
            await trimmer.AppendAsync(T, $"m{i}");
        }

        await trimmer.TrimAsync(T, new Offset(4));
        await reader.SubscribeAsync(S, T, start: StartAt.At([Position.Beginning]));
        await s.Delay(30);
        s.Check(!s.Cluster.Read(DocumentKeys.Entry(new ShardId(T, 0), new Offset(1))).Exists, "What was trimmed was waited for, and closed anew.");
    });

    [Fact]
    public void Stop_LastCursorWriteIsPending_LeaseIsNotReleased() => Scenario.IsCaught(BrokenRules.ReleaseAfterUnknown, async s =>
    {
        var node = new ClientNode(s, "n");
        await node.CreateAsync(T);
        await node.SubscribeAsync(S, T);
        await node.PublishAsync(T, "first");
        await s.Delay(1);
        var write = node.Store.HoldNext(StoreOperation.Replace, "Cursors/s:s");
        await node.PublishAsync(T, "a");
        await write.Arrived;
        var stop = node.StopAsync();
        await s.Delay(5.5);
        write.AnswerUnknown();
        await stop;
        var assignment = s.Cluster.Documents.Single(document => document.Key.Id.StartsWith("assignment/s:s/", StringComparison.Ordinal));
        var leases = Pub.Leases.LeaseFormats.Assignment.Read(assignment.Key, s.Cluster.Read(assignment.Key))!.Leases;
        s.Check(leases[0].State != Pub.Leases.LeaseState.Free, "The lease is free, and its former holder's write is still on its way.");
    });

    [Fact]
    public void Trim_SettledInMemoryOnly_RemovesNothing() => Scenario.IsCaught(BrokenRules.SettleBeforeWrite, async s =>
    {
        var node = new ClientNode(s, "n");
        await node.CreateAsync(T);
        await node.SubscribeAsync(S, T);
        await node.PublishAsync(T, "first");
        await s.Delay(1);
        var write = node.Store.HoldNext(StoreOperation.Replace, "Cursors/s:s");
        await node.PublishAsync(T, "a");
        await write.Arrived;
        await node.Node.Process.Do(() => node.Client.Controller.TrimAsync(T));
        var head = TopicDocument.Read(T, 0, s.Cluster.Read(DocumentKeys.Topic(T, 0)))!.State(0).Head;
        s.Check(head <= new Offset(2), $"The head is at {head}; the cursor that is stored is below.");
    });

    [Fact]
    public void Nack_WithDelay_ComesBackToItsOwnSubscriptionAlone() => Scenario.IsCaught(BrokenRules.NackToTopic, async s =>
    {
        var (one, other) = (new ClientNode(s, "a"), new ClientNode(s, "b"));
        await one.CreateAsync(T);
        await one.SubscribeAsync(
            SubscriptionName.Plain("a"), T, async delivery => await (delivery.DeliveryCount == 1 ? delivery.NackAsync(TimeSpan.FromSeconds(1)) : new(delivery.Ack())));
        await other.SubscribeAsync(SubscriptionName.Plain("b"), T);
        await one.PublishAsync(T, "m");
        await s.Delay(40);
        s.Check(one.Received.Count == 2, $"The subscription that sent it back got it {one.Received.Count} times.");
        s.Check(other.Received.Count == 1, $"The other subscription got it {other.Received.Count} times.");
    });

    [Fact]
    public void Deliver_MessageKillsItsProcess_IsSetAsideInTheEnd() => Scenario.IsCaught(BrokenRules.NoCountBeforeDelivery, async s =>
    {
        var publisher = new ClientNode(s, "p");
        await publisher.CreateAsync(T);
        var deaths = 0;
        for (var i = 0; i < 6; i++)
        {
            var node = new ClientNode(s, $"n{i}");
            await node.SubscribeAsync(S, T, _ => new TaskCompletionSource().Task, maxDeliveries: 3);
            if (i == 0)
            {
                await publisher.PublishAsync(T, "poison");
            }

            for (var second = 0; second < 60 && node.Received.Count == 0; second++)
            {
                await s.Delay(1);
            }

            deaths += node.Received.Count;
            node.Node.Process.Kill();
        }

        s.Check(deaths is > 0 and <= 4, $"It has killed {deaths} processes.");
    });

    [Fact]
    public void Deliver_OneKeyInTwoTopics_NeverOverlaps() => Scenario.IsCaught(BrokenRules.LeaseByShardOfOneTopic, async s =>
    {
        var (one, other, u) = (new ClientNode(s, "a"), new ClientNode(s, "b"), TopicName.Topic("u"));
        await one.CreateWideAsync(T);
        await one.CreateWideAsync(u);
        var running = new Dictionary<string, int>();
        async Task HandleAsync(ClientNode node, Delivery delivery)
        {
            var key = delivery.Message.Key!;
            running[key] = running.GetValueOrDefault(key) + 1;
            s.Check(running[key] == 1, $"Two deliveries of {key} at a time.");
            await Task.Delay(TimeSpan.FromSeconds(0.3), node.Node.Process.Clock);
            running[key]--;
        }

        await one.SubscribeAsync(S, T, delivery => HandleAsync(one, delivery), second: u);
        await other.SubscribeAsync(S, T, delivery => HandleAsync(other, delivery), second: u);
        await s.Delay(5);
        for (var i = 0; i < 16; i++)
        {
            await one.PublishAsync(T, $"t{i}", $"k{i}");
            await one.PublishAsync(u, $"u{i}", $"k{i}");
        }

        await s.Until(() => one.Received.Count + other.Received.Count == 32);
        await s.Delay(2);
    });
}

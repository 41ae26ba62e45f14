using Pub.Simulation.Store;
using Pub.Storage;

namespace Pub.Simulation.Scenarios;

/// <summary>Executions 1, 5, 6, 7 and 20: what an append must do, and what is lost, doubled or disordered if it does not.</summary>
public sealed class PublishingScenarios
{
    [Fact]
    public void Append_SlotTombstonedAndTrimmedMeanwhile_IsNotConfirmedThere() => Scenario.IsCaught(BrokenRules.NoLookBeforeConfirming, async s =>
    {
        var (producer, reader) = (await s.NewLogNodeAsync("p"), await s.NewLogNodeAsync("r"));
        var insert = producer.Store.HoldNext(StoreOperation.Insert, "t:log/0/1");
        var append = producer.AppendAsync("a");
        await insert.Arrived;
        await s.Delay(110);
        await reader.CloseSlotAsync(1);
        await reader.TrimAsync(2);
        insert.Proceed();
        s.Check(await append == Outcome.Confirmed, "The append did not end well.");
        s.Check(producer.LastConfirmed >= producer.State().Head, "Confirmed below the head: nobody ever reads it.");
    });

    [Fact]
    public void Append_MachineSuspendedBetweenReserveAndInsert_IsNotConfirmedBelowTheHead() => Scenario.IsCaught(BrokenRules.NoLookBeforeConfirming, async s =>
    {
        // The monotonic clock stood still: only the wall clock knows that the append was slow (execution 21).
        var (producer, reader) = (await s.NewLogNodeAsync("p"), await s.NewLogNodeAsync("r"));
        var insert = producer.Store.HoldNext(StoreOperation.Insert, "t:log/0/1");
        var append = producer.AppendAsync("a");
        await insert.Arrived;
        producer.Node.Process.Stop(suspend: true);
        await s.Delay(60);
        await reader.CloseSlotAsync(1);
        await reader.TrimAsync(2);
        producer.Node.Process.GoOn();
        insert.Proceed();
        s.Check(await append == Outcome.Confirmed, "The append did not end well.");
        s.Check(producer.LastConfirmed >= producer.State().Head, "Confirmed below the head: nobody ever reads it.");
    });

    [Fact]
    public void Append_TailFellBelowOwnConfirmed_StaysInOrder() => Scenario.IsCaught(BrokenRules.NoThrowAwayOldReservation, async s =>
    {
        var (dead, producer) = (await s.NewLogNodeAsync("dead"), await s.NewLogNodeAsync("p"));
        await dead.LeaveHoleAsync();
        await producer.AppendAsync("a");
        s.Cluster.FailOverAll(TimeSpan.FromMinutes(1));
        await producer.AppendAsync("b");
        s.Check(producer.Places("b")[0] > producer.Places("a")[0], "b is before a, which was confirmed before b was published.");
    });

    [Fact]
    public void Append_FirstInsertLandsBeforeTheSecond_IsStoredOnce() => Scenario.IsCaught(BrokenRules.NoReadOnExists, async s =>
    {
        var producer = await s.NewLogNodeAsync("p");
        var first = producer.Store.HoldNext(StoreOperation.Insert, "t:log/0/1");
        var append = producer.AppendAsync("a");
        await first.Arrived;
        var second = producer.Store.HoldNext(StoreOperation.Insert, "t:log/0/1");
        first.AnswerUnknown();
        await second.Arrived;
        first.Land();
        await s.Delay(0.1);
        second.Proceed();
        s.Check(await append == Outcome.Confirmed, "The append did not end well.");
        s.Check(producer.Places("a").Length == 1, $"a is stored {producer.Places("a").Length} times.");
    });

    [Fact]
    public void Append_SecondAttemptRefusedAndFirstLandsLater_IsNotReportedAsFailed() => Scenario.IsCaught(BrokenRules.UnknownIsFailure, async s =>
    {
        var producer = await s.NewLogNodeAsync("p");
        var first = producer.Store.HoldNext(StoreOperation.Insert, "t:log/0/1");
        var append = producer.AppendAsync("a", timeoutSeconds: 3);
        await first.Arrived;
        s.Cluster.Faults = s.Cluster.Faults with { Unavailable = 1 };
        first.AnswerUnknown();
        var outcome = await append;
        s.Cluster.Faults = StoreFaults.None;
        first.Land();
        await s.Delay(1);
        s.Check(outcome != Outcome.Failed || producer.Places("a").Length == 0, "Reported as certainly failed, and there it is.");
    });

    [Fact]
    public void Append_UnknownThenClosedByTheProducer_IsCertainlyFailed()
    {
        Scenario.Play(BrokenRules.None, async s =>
        {
            var producer = await s.NewLogNodeAsync("p");
            var first = producer.Store.HoldNext(StoreOperation.Insert, "t:log/0/1");
            var append = producer.AppendAsync("a", timeoutSeconds: 3);
            await first.Arrived;
            await s.Delay(5);
            first.AnswerUnknown();
            var outcome = await append;
            first.Land();
            await s.Delay(1);
            s.Check(outcome == Outcome.Failed, $"The producer could close its slot; the append ended as {outcome}.");
            s.Check(producer.Places("a").Length == 0, "Reported as certainly failed, and there it is.");
        }).ThrowIfFailed();
    }

    [Fact]
    public void Append_SlotTakenAfterTheTailFell_HarmsNobodysEntry() => Scenario.IsCaught(BrokenRules.UpsertInsteadOfInsert, async s =>
    {
        var (one, other) = (await s.NewLogNodeAsync("p"), await s.NewLogNodeAsync("q"));
        await one.AppendAsync("a");
        s.Cluster.FailOverAll(TimeSpan.FromMinutes(1));
        await other.AppendAsync("b");
        s.Check(one.Places("a").Length == 1, "a was confirmed and is gone.");
    });

    [Fact]
    public void CloseSlot_FailoverAfterwards_SlotStaysClosed() => Scenario.IsCaught(BrokenRules.TombstoneNotDurable, async s =>
    {
        var (producer, reader) = (await s.NewLogNodeAsync("p"), await s.NewLogNodeAsync("r"));
        var insert = producer.Store.HoldNext(StoreOperation.Insert, "t:log/0/1");
        var append = producer.AppendAsync("a");
        await insert.Arrived;
        s.Check(await reader.CloseSlotAsync(1) == WriteStatus.Applied, "The slot was not empty.");
        s.Cluster.FailOverAll(TimeSpan.FromMinutes(1));
        insert.Proceed();
        await append;
        s.Check(producer.LastConfirmed != Offset.First, "Confirmed in a slot that its readers have passed.");
    });
}

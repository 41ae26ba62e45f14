using CsCheck;
using Pub.Leases;

namespace Pub.Tests.Leases;

public sealed class BeatWatchTests
{
    private static readonly LeaseTimings Timings = LeaseTimings.Default;

    [Fact]
    public void Look_BeatDoesNotMove_IsOverdueExactlyAfterTheSessionTimeout()
    {
        var watch = BeatWatch.First(5, Seconds(0), Seconds(0), Timings);
        while (watch.NextLook < Seconds(30))
        {
            Assert.False(watch.IsOverdue(watch.NextLook, Timings));
            watch = watch.Look(5, watch.NextLook, watch.NextLook, Timings);
        }

        Assert.Equal(Seconds(30), watch.NextLook);
        Assert.True(watch.IsOverdue(watch.NextLook, Timings));
    }

    [Fact]
    public void IsOverdue_SlowRead_CountsFromItsEnd()
    {
        var watch = BeatWatch.First(5, Seconds(0), Seconds(8), Timings);

        Assert.False(watch.IsOverdue(Seconds(37.9), Timings));
        Assert.True(watch.IsOverdue(Seconds(38), Timings));
    }

    [Fact]
    public void IsOverdue_NoDocument_AfterTheOwnersTimeout()
    {
        var watch = BeatWatch.First(null, Seconds(0), Seconds(0), Timings).Look(null, Seconds(10), Seconds(10), Timings);

        Assert.False(watch.IsOverdue(Seconds(19.9), Timings));
        Assert.True(watch.IsOverdue(Seconds(20), Timings));
    }

    [Fact]
    public void Look_BeatWentBackInAFailover_CountsAsMoved() =>
        Assert.False(BeatWatch.First(5, Seconds(0), Seconds(0), Timings).Look(3, Seconds(29), Seconds(29), Timings).IsOverdue(Seconds(31), Timings));

    [Fact]
    public void Look_AnyPhaseAndDrift_SeesEachBeatSoonAtLittleMoreThanOneReadABeat() =>
        Gen.Select(Gen.Double[0, 9.999], Gen.Double[9.98, 10.05], Gen.Double[0, 0.05]).Sample((phase, period, latency) =>
        {
            var read = Seconds(0);
            BeatWatch? watch = null;
            var (reads, late) = (0, TimeSpan.Zero);
            while (read < Seconds(1000))
            {
                var beat = (long)Math.Floor((read.TotalSeconds - phase) / period);
                var ended = read + Seconds(latency);
                var next = watch?.Look(beat, read, ended, Timings) ?? BeatWatch.First(beat, read, ended, Timings);
                if (watch is { } before && next.Beat != before.Beat && read > Seconds(30))
                {
                    var written = Seconds(phase + (beat * period));
                    late = ended - written > late ? ended - written : late;
                }

                reads++;
                (watch, read) = (next, next.NextLook > ended ? next.NextLook : ended + Seconds(0.01));
            }

            Assert.True(late <= Seconds(1.5), $"A beat was seen {late} late.");
            Assert.True(reads <= 140, $"{reads} reads in 100 beats.");
        });

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
}

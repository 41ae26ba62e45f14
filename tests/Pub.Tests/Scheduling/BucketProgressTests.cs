using CsCheck;
using Pub.Scheduling;

namespace Pub.Tests.Scheduling;

public class BucketProgressTests
{
    /// <summary>
    /// Slots are read and messages moved in any interleaving; holes fill late; at any moment the progress claims no message that was not moved, and in the end all.
    /// </summary>
    [Fact]
    public void After_AnyInterleaving_ClaimsOnlyWhatWasMoved()
    {
        var gen = Gen.Select(Gen.Int[0, 20].Array[1, 12], Gen.Int[0, 3].Array[60]);
        gen.Sample((dues, steps) =>
        {
            var progress = BucketProgress.Nothing;
            var read = 0L;
            var moved = DueKey.None;
            var pending = new SortedSet<DueKey>();
            var done = new HashSet<DueKey>();
            var holes = new SortedSet<long>();
            DueKey Key(long offset) => new(dues[offset - 1], offset, 0);
            foreach (var step in steps)
            {
                if (step == 0 && read < dues.Length)
                {
                    pending.Add(Key(++read));
                }
                else if (step == 1 && read < dues.Length)
                {
                    holes.Add(++read);
                }
                else if (step == 2 && holes.Count > 0)
                {
                    pending.Add(Key(holes.Min));
                    holes.Remove(holes.Min);
                }
                else if (step == 3 && pending.Count > 0)
                {
                    done.Add(pending.Min);
                    moved = pending.Min > moved ? pending.Min : moved;
                    pending.Remove(pending.Min);
                }

                progress = progress.After(moved, pending.Count == 0 ? null : pending.Min, read, holes);
                for (var offset = 1L; offset <= dues.Length; offset++)
                {
                    Assert.True(!progress.IsMoved(Key(offset)) || done.Contains(Key(offset)), $"{offset} was not moved, but {progress} says so.");
                }
            }

            var isInOrder = BucketProgress.IsInOrder(moved, pending.Count == 0 ? null : pending.Min);
            Assert.True(!isInOrder || done.All(progress.IsMoved));
        });
    }
}

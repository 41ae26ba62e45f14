using CsCheck;
using Microsoft.Extensions.Time.Testing;
using Pub.Subscriptions;
using Pub.Topics;

namespace Pub.Tests.Subscriptions;

/// <summary>Random histories of one shard and one window on it, compared with what is known outside: when which slot was filled, read and settled.</summary>
public sealed class ShardWindowModelTests
{
    private enum Step
    {
        Reserve,
        Fill,
        BeginRead,
        EndRead,
        Deliver,
        Settle,
        Close,
        RaiseHead,
        Fail,
        Pass,
    }

    [Fact]
    public void Window_AnyHistory_HandsOutOnceAfterTheHolesBelowAndDrains() => Run(BrokenRules.None);

    [Theory]
    [InlineData(nameof(BrokenRules.NoHoleReread))]
    [InlineData(nameof(BrokenRules.FloorPastHole))]
    public void Window_RuleLeftOut_IsNoticed(string rule) => Assert.Throws<CsCheckException>(() => Run(Enum.Parse<BrokenRules>(rule)));

    private static void Run(BrokenRules broken) =>
        Gen.Select(Gen.Enum<Step>(), Gen.Int[0, 1_000]).Array[0, 200].Sample(
            steps =>
            {
                var history = new History(broken);
                foreach (var (step, number) in steps)
                {
                    history.Take(step, number);
                }

                history.Drain();
            },
            iter: 1_000);

    private sealed class History
    {
        private readonly FakeTimeProvider _time = new();
        private readonly ShardWindow _window;
        private readonly SortedDictionary<long, Entry> _log = [];
        private readonly Dictionary<long, int> _missingAt = [];
        private readonly Dictionary<long, int> _foundAt = [];
        private readonly HashSet<long> _closed = [];
        private readonly HashSet<WindowSlot> _released = [];
        private readonly List<(WindowSlot Slot, int Index)> _inFlight = [];
        private readonly HashSet<(long, int)> _settled = [];
        private readonly List<long> _delivered = [];
        private WindowRead? _read;
        private Entry?[] _seen = [];
        private int _readBegan;
        private long _tail;
        private long _head = 1;
        private int _clock;

        public History(BrokenRules broken) =>
            _window = new ShardWindow(new ShardId(TopicName.Topic("orders"), 0), new SettledRanges(Position.Beginning), _time, broken);

        public void Take(Step step, int number)
        {
            _clock++;
            var floor = _window.Progress.Floor;
            switch (step)
            {
                case Step.Reserve:
                    _tail++;
                    _window.Observe(new Offset(_tail), new Offset(_head), []);
                    break;
                case Step.Fill:
                    Fill(number);
                    break;
                case Step.BeginRead when _read is null:
                    BeginRead(1 + (number % 8));
                    break;
                case Step.EndRead when _read is not null:
                    EndRead();
                    break;
                case Step.Fail when _read is { } failed:
                    _window.Abandon(failed);
                    _read = null;
                    break;
                case Step.Deliver:
                    Deliver(number % 4 == 0 ? number % (_tail + 2) : long.MaxValue);
                    break;
                case Step.Settle when _inFlight.Count > 0:
                    Settle(number % _inFlight.Count);
                    break;
                case Step.Close:
                    Close(number);
                    break;
                case Step.RaiseHead when number % 10 == 0:
                    _head = Math.Max(_head, 1 + (number % (_tail + 1)));
                    _window.Observe(new Offset(_tail), new Offset(_head), []);
                    break;
                case Step.Pass:
                    _time.Advance(TimeSpan.FromMilliseconds(number % 50));
                    break;
            }

            Check(floor);
        }

        public void Drain()
        {
            for (var offset = 1; offset <= _tail; offset++)
            {
                if (!_log.ContainsKey(offset))
                {
                    _log[offset] = offset % 2 == 0 ? Entries.Tombstone() : Entries.Of(offset);
                }
            }

            for (var round = 0; round < 10 + (2 * _tail) && (_window.Progress.Floor.Offset.Value <= _tail || !_window.IsEmpty); round++)
            {
                Take(_read is null ? Step.BeginRead : Step.EndRead, 7);
                Take(_read is null ? Step.BeginRead : Step.EndRead, 7);
                Take(Step.Deliver, 1);
                while (_inFlight.Count > 0)
                {
                    Take(Step.Settle, 0);
                }

                Take(Step.Pass, 49);
                Take(Step.Pass, 49);
                Take(Step.Pass, 49);
            }

            Assert.Equal(_tail + 1, _window.Progress.Floor.Offset.Value);
            Assert.True(_window.IsEmpty && !_window.HasHoles, "Nothing stays for ever.");
            Assert.Empty(_window.Progress.Ranges);

            // What was filled late comes after what was handed out above it; Deliver checks when that is right.
            var counts = _log.Where(pair => pair.Key >= _head && pair.Value.Messages.Length > 0).Select(pair => pair.Key);
            Assert.Equal(counts, _delivered.Where(offset => offset >= _head).Order());
        }

        private void Fill(int number)
        {
            var open = Enumerable.Range(1, (int)_tail).Where(o => !_log.ContainsKey(o)).ToArray();
            if (open.Length > 0)
            {
                long offset = open[number % open.Length];
                _log[offset] = Entries.Of(offset, 1 + (number % 5));
                if (number % 3 == 0)
                {
                    _window.ObserveFilled(new Offset(offset));
                }
            }
        }

        // The store is asked slot by slot at the moment the read begins: the earliest that an answer can be.
        private void BeginRead(int most)
        {
            var read = _window.PlanRead(most);
            if (!read.IsEmpty)
            {
                _read = read;
                _readBegan = _clock;
                _seen = [.. read.Offsets.Select(offset => _log.GetValueOrDefault(offset.Value))];
            }
        }

        private void EndRead()
        {
            var read = _read!.Value;
            _window.Complete(read, _seen);
            for (var i = 0; i < _seen.Length; i++)
            {
                (_seen[i] is null ? _missingAt : _foundAt)[read.Offsets[i].Value] = _seen[i] is null ? _readBegan : _clock;
            }

            _read = null;
        }

        private void Deliver(long ahead)
        {
            var slots = new List<WindowSlot>();
            _window.TakeDeliverable(new Offset(ahead), slots);
            foreach (var slot in slots)
            {
                var offset = slot.Offset.Value;
                Assert.True(offset < ahead, "Nothing is handed out at or above the mark.");
                Assert.True(_delivered.Count == 0 || !_delivered.Contains(offset), "An entry is handed out once.");
                for (var below = Math.Max(_head, _window.Progress.Floor.Offset.Value); below < offset; below++)
                {
                    if (!_foundAt.ContainsKey(below) && !_closed.Contains(below))
                    {
                        Assert.True(_missingAt.GetValueOrDefault(below) > _foundAt[offset], $"{offset} came before {below} was read again.");
                    }
                    else if (_log[below].Messages.Length > 0)
                    {
                        Assert.Contains(below, _delivered);
                    }
                }

                _delivered.Add(offset);
                for (var index = 0; index < slot.Entry!.Messages.Length; index++)
                {
                    _inFlight.Add((slot, index));
                }
            }
        }

        private void Settle(int which)
        {
            var (slot, index) = _inFlight[which];
            _inFlight.RemoveAt(which);
            _window.Settle(slot, index);
            _settled.Add((slot.Offset.Value, index));
        }

        private void Close(int number)
        {
            var expired = new List<Offset>();
            _window.CollectExpiredHoles(TimeSpan.FromMilliseconds(100), expired);
            if (expired.Count == 0)
            {
                return;
            }

            var offset = expired[number % expired.Count];
            if (_log.ContainsKey(offset.Value))
            {
                _window.ObserveFilled(offset);
                return;
            }

            _log[offset.Value] = Entries.Tombstone();
            _closed.Add(offset.Value);
            _window.Closed(offset);
        }

        private void Check(Position before)
        {
            var floor = _window.Progress.Floor;
            Assert.True(floor >= before, "The floor fell.");
            for (var offset = _head; offset < floor.Offset.Value; offset++)
            {
                Assert.True(_log.TryGetValue(offset, out var entry), $"The floor {floor} passed the open slot {offset}.");
                for (var index = 0; index < entry.Messages.Length; index++)
                {
                    Assert.True(_settled.Contains((offset, index)), $"The floor {floor} passed {offset}.{index}, which is not settled.");
                }
            }

            foreach (var slot in _window.TakeReleased())
            {
                Assert.True(_released.Add(slot), $"{slot.Offset} was released twice.");
            }

            Assert.DoesNotContain(_window.Slots, _released.Contains);
            Assert.Equal(_window.Slots.Any(slot => slot.IsHole), _window.HasHoles);
        }
    }
}

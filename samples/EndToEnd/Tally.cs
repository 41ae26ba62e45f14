using System.Diagnostics;

namespace EndToEnd;

/// <summary>
/// What became of each event of a run. One word per event says it all: 0 not published yet; above 0 the moment at which its publish was called; below 0
/// it has arrived, after so many microseconds.
/// </summary>
/// <remarks>
/// <code>
/// an event's word goes 0 → above 0 → below 0, each step once
/// received ≤ published ≤ events
/// </code>
/// Every counter is changed by interlocked operations only.
/// </remarks>
internal sealed class Tally(int events)
{
    private readonly long[] _events = new long[events];
    private readonly ShardCounts _confirmed = new();
    private readonly ShardCounts _received = new();
    private long _duplicates;
    private long _foreign;
    private long _lastProgress = Stopwatch.GetTimestamp();
    private long _firstPublish;
    private long _lastReceipt;

    public int Events => _events.Length;

    /// <summary>Events whose publish was confirmed.</summary>
    public long Confirmed => _confirmed.Sum;

    /// <summary>Different events that arrived.</summary>
    public long Received => _received.Sum;

    /// <summary>Arrivals beyond the first.</summary>
    public long Duplicates => Interlocked.Read(ref _duplicates);

    /// <summary>Events of other runs, which go on at the same time on the same store.</summary>
    public long Foreign => Interlocked.Read(ref _foreign);

    /// <summary>Confirmed events that have not arrived.</summary>
    public long Lag => Math.Max(0, Confirmed - Received);

    /// <summary>Since an event was last published or received.</summary>
    public TimeSpan Quiet => Stopwatch.GetElapsedTime(Interlocked.Read(ref _lastProgress));

    /// <summary>From the first call of publish to the last arrival; zero before there is one.</summary>
    public TimeSpan Duration => Interlocked.Read(ref _lastReceipt) is var last and > 0 ? Stopwatch.GetElapsedTime(_firstPublish, last) : default;

    public long LagOf(int shard) => Math.Max(0, _confirmed[shard] - _received[shard]);

    /// <summary>The publish of the event begins.</summary>
    public void Publishing(int number)
    {
        var now = Stopwatch.GetTimestamp();
        Interlocked.CompareExchange(ref _firstPublish, now, 0);
        Volatile.Write(ref _events[number], now);
    }

    public void ConfirmedAt(int shard)
    {
        _confirmed.Add(shard);
        Interlocked.Exchange(ref _lastProgress, Stopwatch.GetTimestamp());
    }

    public void ReceivedAt(int shard, int number)
    {
        var now = Stopwatch.GetTimestamp();
        var published = Volatile.Read(ref _events[number]);
        var latency = (long)Stopwatch.GetElapsedTime(published, now).TotalMicroseconds;
        if (published > 0 && Interlocked.CompareExchange(ref _events[number], -1 - latency, published) == published)
        {
            _received.Add(shard);
            Interlocked.Exchange(ref _lastReceipt, now);
            Interlocked.Exchange(ref _lastProgress, now);
        }
        else
        {
            Interlocked.Increment(ref _duplicates);
        }
    }

    public void ReceivedForeign() => Interlocked.Increment(ref _foreign);

    /// <summary>How long events took from the call of publish to their arrival, ascending. Call it when nothing arrives any more.</summary>
    public TimeSpan[] Latencies()
    {
        var latencies = _events.Where(word => word < 0).Select(word => TimeSpan.FromMicroseconds(-1 - word)).ToArray();
        Array.Sort(latencies);
        return latencies;
    }

    private sealed class ShardCounts
    {
        private readonly long[] _counts = new long[Pub.TopicSettings.MaxShards];
        private long _sum;

        public long Sum => Interlocked.Read(ref _sum);

        public long this[int shard] => Interlocked.Read(ref _counts[shard]);

        public void Add(int shard)
        {
            Interlocked.Increment(ref _counts[shard]);
            Interlocked.Increment(ref _sum);
        }
    }
}

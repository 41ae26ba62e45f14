using System.Text;
using Pub.Simulation.Kernel;
using Pub.Storage;

namespace Pub.Simulation.Store;

internal enum StoreOperation
{
    Get,
    GetMany,
    Insert,
    Replace,
    Remove,
    Increment,
    Wait,
    Epoch,
}

/// <summary>A write that was applied, as checkers see it. Null content: removed, or missing before.</summary>
internal readonly record struct AppliedWrite(string Process, StoreOperation Operation, DocumentKey Key, byte[]? Before, byte[]? After, bool Durable);

/// <summary>
/// The simulated cluster: documents with versions, in groups that fail over together. What reaches it is applied at once and in the order of arrival; each
/// process reaches it through a <see cref="NodeStore"/> of its own, which delays and goes wrong.
/// </summary>
/// <remarks>Invariants: a CAS is never given twice. A durable write survives every failover. An epoch changes with every failover of its group.</remarks>
internal sealed class SimCluster
{
    private const int Groups = 8;

    private readonly Dictionary<DocumentKey, SimDocument> _documents = [];
    private readonly Dictionary<DocumentKey, List<Action>> _watchers = [];
    private readonly ulong[] _epochs = new ulong[Groups];
    private ulong _lastCas = 1000;

    public SimCluster(SimScheduler scheduler, SimTrace trace, int seed)
    {
        Scheduler = scheduler;
        Trace = trace;
        Random = new Random(seed);
        Process = new SimProcess("store", scheduler);
    }

    public SimScheduler Scheduler { get; }

    public SimTrace Trace { get; }

    public Random Random { get; }

    /// <summary>Where delays, arrivals and answers run.</summary>
    public SimProcess Process { get; }

    public StoreFaults Faults { get; set; } = StoreFaults.None;

    public List<Action<AppliedWrite>> Observers { get; } = [];

    /// <summary>Told of every failover that lost something.</summary>
    public List<Action> FailoverObservers { get; } = [];

    public int[] Operations { get; } = new int[8];

    public IEnumerable<(DocumentKey Key, byte[] Content)> Documents =>
        _documents.Where(pair => pair.Value.Current.IsLiveAt(Scheduler.Now)).Select(pair => (pair.Key, pair.Value.Current.Content!));

    public void After(TimeSpan delay, Action action)
    {
        var timer = new SimTimer(Process, Scheduler, static state => ((Action)state!)(), action, isInline: true);
        timer.Change(delay, Timeout.InfiniteTimeSpan);
    }

    /// <summary>What a new connection starts with: an operation's random duration, up to twice the usual.</summary>
    public TimeSpan Draw(TimeSpan most) => most * Random.NextDouble();

    public StoredDocument Read(DocumentKey key)
    {
        if (!_documents.TryGetValue(key, out var document))
        {
            return StoredDocument.Missing;
        }

        var version = document.Current;
        return version.IsLiveAt(Scheduler.Now) ? new StoredDocument(version.Content, version.Cas) : StoredDocument.Missing;
    }

    public WriteResult Insert(string process, DocumentKey key, byte[] content, WriteOptions options) =>
        Read(key).Exists ? new WriteResult(WriteStatus.Exists) : Apply(process, StoreOperation.Insert, key, content, options);

    public WriteResult Replace(string process, DocumentKey key, byte[] content, Cas cas, WriteOptions options) =>
        Check(key, cas, mustMatch: true) ?? Apply(process, StoreOperation.Replace, key, content, options);

    public WriteResult Remove(string process, DocumentKey key, Cas cas, WriteOptions options) =>
        Check(key, cas, mustMatch: cas != Cas.None) ?? Apply(process, StoreOperation.Remove, key, null, options);

    public IncrementResult Increment(string process, DocumentKey key, CounterPath path, long delta, WriteOptions options)
    {
        var document = Read(key);
        if (!document.Exists)
        {
            return new IncrementResult(WriteStatus.Missing);
        }

        var content = JsonCounter.Add(document.Content.Span, path, delta, out var value);
        Apply(process, StoreOperation.Increment, key, content, options with { TimeToLive = null }, _documents[key].Current.ExpiresAt);
        return new IncrementResult(WriteStatus.Applied, value);
    }

    public Epoch ReadEpoch(DocumentKey key) => new(_epochs[GroupOf(key)], 1);

    /// <summary>Calls the action at every change of the document until the answer is disposed.</summary>
    public void Watch(DocumentKey key, Action changed)
    {
        if (!_watchers.TryGetValue(key, out var list))
        {
            _watchers.Add(key, list = []);
        }

        list.Add(changed);
    }

    public void EndWatch(DocumentKey key, Action changed) => _watchers[key].Remove(changed);

    /// <summary>The group's active copy is lost: what was written since and is not durable is gone.</summary>
    public void FailOver(int group, TimeSpan lostWindow)
    {
        var lost = new List<DocumentKey>();
        foreach (var (key, document) in _documents)
        {
            if (GroupOf(key) == group && document.HasVolatileVersions && document.FailOver(Scheduler.Now - lostWindow.Ticks))
            {
                lost.Add(key);
            }
        }

        _epochs[group]++;
        Trace.Add("store", "failover", $"group {group}, lost changes of: {string.Join(", ", lost)}");
        foreach (var observer in FailoverObservers)
        {
            observer();
        }

        foreach (var key in lost)
        {
            Changed(key);
        }
    }

    public void FailOverAll(TimeSpan lostWindow)
    {
        for (var group = 0; group < Groups; group++)
        {
            FailOver(group, lostWindow);
        }
    }

    public void FailOverRandomGroup(TimeSpan lostWindow) => FailOver(Random.Next(Groups), lostWindow);

    public static int GroupOf(DocumentKey key)
    {
        var hash = (uint)key.Collection * 2654435761;
        foreach (var letter in key.Id)
        {
            hash = (hash ^ letter) * 16777619;
        }

        return (int)((hash >> 8) % Groups);
    }

    private WriteResult? Check(DocumentKey key, Cas cas, bool mustMatch)
    {
        var document = Read(key);
        return !document.Exists ? new WriteResult(WriteStatus.Missing)
            : mustMatch && document.Cas != cas ? new WriteResult(WriteStatus.Moved)
            : null;
    }

    private WriteResult Apply(string process, StoreOperation operation, DocumentKey key, byte[]? content, WriteOptions options, long? expiresAt = null)
    {
        if (!_documents.TryGetValue(key, out var document))
        {
            _documents.Add(key, document = new SimDocument());
        }

        var before = Read(key);
        var now = Scheduler.Now;
        var expires = expiresAt ?? (options.TimeToLive is { } life ? now + life.Ticks : long.MaxValue);
        var cas = new Cas(++_lastCas);
        document.Write(new DocumentVersion(content, cas, expires, now, content is null), options.Durable);
        if (Observers.Count > 0)
        {
            var write = new AppliedWrite(process, operation, key, before.Exists ? before.Content.ToArray() : null, content, options.Durable);
            foreach (var observer in Observers)
            {
                observer(write);
            }
        }

        if (Trace.IsVerbose && content is { Length: < 400 })
        {
            Trace.Note("store", "content", $"{key} {Encoding.UTF8.GetString(content)}");
        }

        Changed(key);
        return new WriteResult(WriteStatus.Applied, cas);
    }

    private void Changed(DocumentKey key)
    {
        if (_watchers.TryGetValue(key, out var list))
        {
            foreach (var watcher in list.ToArray())
            {
                watcher();
            }
        }
    }
}

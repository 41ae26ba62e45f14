using Pub.Storage;

namespace Pub.Simulation.Store;

/// <summary>One version of a document; null content: removed.</summary>
internal readonly record struct DocumentVersion(byte[]? Content, Cas Cas, long ExpiresAt, long WrittenAt, bool IsRemoval)
{
    public bool IsLiveAt(long now) => Content is not null && now < ExpiresAt;
}

/// <summary>
/// A document of the simulated cluster: its current version, and those below it that a failover can bring back.
/// </summary>
/// <remarks>
/// Invariants: versions are in order of writing; the lowest is durable, all above are not. A durable write drops all below it, because it is
/// replicated with everything before it. A failover drops versions from the top, never the lowest.
/// </remarks>
internal sealed class SimDocument
{
    private readonly List<DocumentVersion> _versions = [new(null, Cas.None, long.MaxValue, 0, IsRemoval: true)];

    public DocumentVersion Current => _versions[^1];

    public bool HasVolatileVersions => _versions.Count > 1;

    public void Write(DocumentVersion version, bool durable)
    {
        if (durable)
        {
            _versions.Clear();
        }

        _versions.Add(version);
    }

    /// <summary>What was written before this time has reached the replicas meanwhile.</summary>
    public void Replicate(long writtenBefore)
    {
        var last = _versions.FindLastIndex(version => version.WrittenAt <= writtenBefore);
        if (last > 0)
        {
            _versions.RemoveRange(0, last);
        }
    }

    /// <summary>Drops what was written after this time and is not durable. Answers whether anything was.</summary>
    public bool FailOver(long lostSince)
    {
        Replicate(lostSince);
        var lost = _versions.Count > 1;
        _versions.RemoveRange(1, _versions.Count - 1);
        return lost;
    }
}

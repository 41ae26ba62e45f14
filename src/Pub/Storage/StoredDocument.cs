namespace Pub.Storage;

/// <summary>The version of a document. It changes with every write and is never used again for the same key.</summary>
public readonly record struct Cas(ulong Value)
{
    /// <summary>No version: a document that does not exist.</summary>
    public static Cas None => default;
}

/// <summary>A document as it was read: its bytes, which nobody may change, and their version.</summary>
public readonly record struct StoredDocument(ReadOnlyMemory<byte> Content, Cas Cas)
{
    /// <summary>What a read of a missing document answers.</summary>
    public static StoredDocument Missing => default;

    /// <summary>Whether there is a document.</summary>
    public bool Exists => Cas != Cas.None;
}

/// <summary>
/// Identifies the history of the place a document lives in. Two reads with equal epochs, with no failover between them, saw one history.
/// </summary>
public readonly record struct Epoch(ulong High, ulong Low)
{
    /// <summary>The epoch of a store that never loses an acknowledged write: nothing ever needs to be probed.</summary>
    public static Epoch Constant => default;
}

namespace Pub.Storage;

/// <summary>How a write ended, as far as competition goes. Everything else is an exception.</summary>
public enum WriteStatus
{
    /// <summary>The write happened.</summary>
    Applied,

    /// <summary>Insert: there is a document under this key.</summary>
    Exists,

    /// <summary>Replace, remove, increment: there is no document under this key.</summary>
    Missing,

    /// <summary>Replace, remove: the document has another version than the one named.</summary>
    Moved,
}

/// <summary>The result of an insert, replace or remove. <see cref="Cas"/> is the new version where one was written.</summary>
public readonly record struct WriteResult(WriteStatus Status, Cas Cas = default)
{
    /// <summary>Whether the write happened.</summary>
    public bool IsApplied => Status == WriteStatus.Applied;
}

/// <summary>The result of an increment: the number's new value where it happened.</summary>
public readonly record struct IncrementResult(WriteStatus Status, long Value = 0)
{
    /// <summary>Whether the increment happened.</summary>
    public bool IsApplied => Status == WriteStatus.Applied;
}

/// <summary>
/// What a write asks for. The default is not durable and lives for ever.
/// </summary>
/// <param name="Durable">Must survive a failover and a crash before it is answered (synced to disk, replicated to a majority). A write
/// that is not durable may be lost by a failover, never reordered before an earlier one to the same document.</param>
/// <param name="TimeToLive">When the store may clean the document up; no rule of the protocol rests on it. Null: never.</param>
public readonly record struct WriteOptions(bool Durable, TimeSpan? TimeToLive = null)
{
    /// <summary>Synced or replicated before it is answered.</summary>
    public static WriteOptions Synced => new(Durable: true);
}

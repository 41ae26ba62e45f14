namespace Pub.Storage;

/// <summary>The named collections that documents live in (docs/documents.md).</summary>
public enum DocumentCollection
{
    /// <summary>Entries: what one append wrote, or the tombstone that closes its slot.</summary>
    Messages,

    /// <summary>Cursors: the stored progress of one lease.</summary>
    Cursors,

    /// <summary>Topics: shard count, settings, and per shard tail, head, removed; the bells.</summary>
    Offsets,

    /// <summary>Sessions with their beat, and assignments of leases to sessions.</summary>
    Leases,

    /// <summary>Who reads a topic, what flows into it; subscriptions; the catalog of names.</summary>
    Topology,

    /// <summary>The directory of time buckets, and messages that can be cancelled.</summary>
    Schedules,
}

/// <summary>Where a document is: its collection, and an id of at most <see cref="MaxIdBytes"/> bytes of UTF-8.</summary>
public readonly record struct DocumentKey(DocumentCollection Collection, string Id)
{
    /// <summary>The most bytes of UTF-8 in <see cref="Id"/>; Couchbase allows 246 in a named collection.</summary>
    public const int MaxIdBytes = 240;

    /// <inheritdoc/>
    public override string ToString() => $"{Collection}/{Id}";
}

/// <summary>
/// A number inside a JSON document: a property of the root (<c>n</c>), or an element of an array that is one (<c>tails[3]</c>).
/// </summary>
/// <param name="Property">Name of the property; ASCII letters and digits only.</param>
/// <param name="Index">Place in the array; -1 for a property that is itself the number.</param>
public readonly record struct CounterPath(string Property, int Index = -1)
{
    /// <summary>The path as sub-document interfaces write it.</summary>
    public override string ToString() => Index < 0 ? Property : $"{Property}[{Index}]";
}

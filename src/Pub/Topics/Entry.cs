namespace Pub.Topics;

/// <summary>What is stored in one slot: the messages of one append, a tombstone that closes the slot, or bytes that nobody understands.</summary>
/// <remarks>Exactly one of the three: <see cref="IsTombstone"/>, <see cref="IsUndecodable"/>, or at least one message. Never changes.</remarks>
internal sealed class Entry
{
    private Entry(ReadOnlyMemory<byte> content) => Content = content;

    /// <summary>Whether the slot is closed for ever and holds nothing.</summary>
    public bool IsTombstone { get; private init; }

    /// <summary>Which producer or reader wrote the entry. Empty if undecodable.</summary>
    public string Writer { get; private init; } = "";

    /// <summary>Which of the writer's appends it was. Empty if undecodable.</summary>
    public string AppendId { get; private init; } = "";

    /// <summary>When it was written, Unix time in milliseconds by the writer's clock. 0 if undecodable.</summary>
    public long Written { get; private init; }

    /// <summary>The messages, in their order; empty for a tombstone and for what is undecodable.</summary>
    public Message[] Messages { get; private init; } = [];

    /// <summary>Why the entry cannot be decoded. Such an entry is set aside whole and reported; it never stops the shard.</summary>
    public DocumentFormatException? Error { get; private init; }

    public bool IsUndecodable => Error is not null;

    /// <summary>The bytes as stored. The messages' bodies are slices of them.</summary>
    public ReadOnlyMemory<byte> Content { get; }

    /// <summary>What the entry pins in memory, by its stored size.</summary>
    public int EncodedBytes => Content.Length;

    public static Entry WithMessages(ReadOnlyMemory<byte> content, in EntryHeader header, Message[] messages) =>
        new(content) { Writer = header.Writer, AppendId = header.AppendId, Written = header.Written, Messages = messages };

    public static Entry Tombstone(ReadOnlyMemory<byte> content, in EntryHeader header) =>
        new(content) { Writer = header.Writer, AppendId = header.AppendId, Written = header.Written, IsTombstone = true };

    public static Entry Undecodable(ReadOnlyMemory<byte> content, DocumentFormatException error) => new(content) { Error = error };
}

/// <summary>Who wrote an entry, and when.</summary>
internal readonly record struct EntryHeader(string Writer, string AppendId, long Written);

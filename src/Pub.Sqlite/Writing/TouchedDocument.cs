using Pub.Storage;

namespace Pub.Sqlite.Writing;

/// <summary>A document as the open transaction has left it.</summary>
/// <remarks><c>IsAhead</c> only by increments: then <c>Content</c> is newer than the table's row, and goes there before anything else touches the row.</remarks>
internal sealed class TouchedDocument
{
    public DocumentKey Key { get; set; }

    /// <summary>Its version; none: removed.</summary>
    public Cas Cas { get; set; }

    public ReadOnlyMemory<byte> Content { get; set; }

    public bool IsAhead { get; set; }

    /// <summary>Whether a durable write had part in it: then nothing about it is told before the sync.</summary>
    public bool IsDurable { get; set; }
}

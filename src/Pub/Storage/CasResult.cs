namespace Pub.Storage;

/// <summary>How a CAS loop ended.</summary>
/// <param name="State">What the document holds: what this call wrote, or what it read and left alone. Null: there is none.</param>
/// <param name="Stored">The same as stored, with its version.</param>
/// <param name="Written">Whether the last write of the document was this call's own, with known outcome.</param>
internal readonly record struct CasResult<T>(T? State, StoredDocument Stored, bool Written)
    where T : class
{
    public Cas Cas => Stored.Cas;
}

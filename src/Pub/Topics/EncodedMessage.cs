namespace Pub.Topics;

/// <summary>A message as it will stand in its entry. Made once, by the caller of a publish, before anything is reserved.</summary>
/// <param name="Id">The message's id.</param>
/// <param name="Key">The ordering key, if there is one.</param>
/// <param name="Content">The message as JSON.</param>
internal readonly record struct EncodedMessage(string Id, string? Key, ReadOnlyMemory<byte> Content)
{
    /// <summary>What the message takes in an entry, in bytes.</summary>
    public int Size => Content.Length;
}

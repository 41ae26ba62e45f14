namespace Pub;

/// <summary>
/// The family of everything that the environment, not the caller's code, does wrong. A caller's mistake is an <see cref="ArgumentException"/>,
/// an <see cref="ObjectDisposedException"/> or an options validation failure instead.
/// </summary>
public class PubException : Exception
{
    /// <summary>Creates the exception with what happened and, where one can, what to do about it.</summary>
    public PubException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>Whether the same call can succeed later without anybody changing anything.</summary>
    public virtual bool IsTransient => false;
}

/// <summary>The store could not be reached or was busy. The operation certainly did not happen, and may be tried again.</summary>
public sealed class StoreUnavailableException(string message, Exception? inner = null) : PubException(message, inner)
{
    /// <inheritdoc/>
    public override bool IsTransient => true;
}

/// <summary>
/// A write may or may not have happened, and may still happen later. Never treat it as failure: a publish that ended so may be delivered.
/// </summary>
public sealed class OutcomeUnknownException(string message, Exception? inner = null) : PubException(message, inner)
{
    /// <inheritdoc/>
    public override bool IsTransient => true;
}

/// <summary>The store has no room left (a full disk). The operation did not happen; reads go on, writes can be tried when there is room.</summary>
public sealed class StoreFullException(string message, Exception? inner = null) : PubException(message, inner)
{
    /// <inheritdoc/>
    public override bool IsTransient => true;
}

/// <summary>The store's content is damaged or was made by something else than Pub.</summary>
public sealed class StoreCorruptException(string message, Exception? inner = null) : PubException(message, inner);

/// <summary>A stored document cannot be understood: damaged, or not what its key says.</summary>
public class DocumentFormatException(string message, Exception? inner = null) : PubException(message, inner);

/// <summary>A stored document or file was written by a newer version of Pub. Upgrade this program.</summary>
public sealed class FormatVersionException(string what, int found, int supported)
    : DocumentFormatException($"{what} has format version {found}; this program reads up to {supported}. Upgrade the program that reads it.")
{
    /// <summary>The version found.</summary>
    public int Found { get; } = found;

    /// <summary>The highest version that this program reads.</summary>
    public int Supported { get; } = supported;
}

/// <summary>A message, with what the entry needs around it, is larger than the store or the option allows. Nothing was reserved or written.</summary>
public sealed class MessageTooLargeException(string message, int bytes, int maxBytes) : PubException(message)
{
    /// <summary>What the message needs, in bytes as stored.</summary>
    public int Bytes { get; } = bytes;

    /// <summary>The limit, in bytes as stored.</summary>
    public int MaxBytes { get; } = maxBytes;
}

/// <summary>There is no such topic, queue or subscription.</summary>
public sealed class NotFoundException(string message) : PubException(message);

/// <summary>The lease or session under which the call was made is no longer held. What it would have settled is delivered again.</summary>
public sealed class LeaseLostException(string message) : PubException(message);

/// <summary>
/// Something that must always hold does not (docs/invariants.md). The shard concerned stops and its lease is given up; the host goes on.
/// </summary>
public sealed class InvariantException(string message) : PubException(message);

/// <summary>The topic takes no messages any more: it was closed. The message was certainly not published.</summary>
public sealed class TopicClosedException(string message) : PubException(message);

using System.Diagnostics;

namespace Pub.Topics;

/// <summary>Gathers encoded messages into the bytes of one entry. Not for several threads.</summary>
/// <remarks>
/// Count ≤ maxMessages; the entry's size ≤ maxBytes, except that a first message is always taken (its own size was checked when it was encoded).
/// The result of <see cref="Finish"/> is good until the next <see cref="Clear"/> or <see cref="TryAdd"/>: reuse a writer only when its append has ended
/// with a known outcome, else drop it.
/// </remarks>
internal sealed class EntryWriter(int maxMessages = EntryWriter.MaxMessages, int maxBytes = EntryWriter.MaxBytes)
{
    /// <summary>The most messages in an entry.</summary>
    public const int MaxMessages = 1_000;

    /// <summary>Where an entry of several messages ends, in bytes.</summary>
    public const int MaxBytes = 1_000_000;

    private const int KeptBytes = MaxBytes + (MaxBytes / 4);

    // The header's size is known only at the end; the messages begin behind the most it can take.
    private byte[] _buffer = new byte[4_096];
    private int _end = EntryCodec.EnvelopeBytes;

    /// <summary>Messages added.</summary>
    public int Count { get; private set; }

    /// <summary>The most bytes that the finished entry has.</summary>
    public int Size => _end + EntryCodec.FooterBytes;

    /// <summary>Adds a message, or says that the entry is full.</summary>
    public bool TryAdd(in EncodedMessage message)
    {
        var needed = message.Size + 1;
        if (Count > 0 && (Count >= maxMessages || Size + needed > maxBytes))
        {
            return false;
        }

        if (_end + needed + EntryCodec.FooterBytes > _buffer.Length)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _end + needed + EntryCodec.FooterBytes));
        }

        if (Count > 0)
        {
            _buffer[_end++] = (byte)',';
        }

        message.Content.Span.CopyTo(_buffer.AsSpan(_end));
        _end += message.Size;
        Count++;
        return true;
    }

    /// <summary>The entry's bytes. May be called again, with another header, for the same messages.</summary>
    public ReadOnlyMemory<byte> Finish(string writer, string appendId, long written)
    {
        Debug.Assert(Count > 0, "An entry has at least one message.");
        Span<byte> header = stackalloc byte[EntryCodec.EnvelopeBytes];
        var length = EntryCodec.WriteHeader(header, new EntryHeader(writer, appendId, written));
        var start = EntryCodec.EnvelopeBytes - length;
        header[..length].CopyTo(_buffer.AsSpan(start));
        EntryCodec.Footer.CopyTo(_buffer.AsSpan(_end));
        return _buffer.AsMemory(start, _end + EntryCodec.FooterBytes - start);
    }

    /// <summary>Empties the writer for the next entry.</summary>
    public void Clear()
    {
        Count = 0;
        _end = EntryCodec.EnvelopeBytes;
        if (_buffer.Length > KeptBytes)
        {
            _buffer = new byte[4_096];
        }
    }
}

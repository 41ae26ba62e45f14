using System.Text;

namespace MassTransit.PubTransport;

/// <summary>A body that lies in the bytes of its entry; copied only when somebody asks for an array.</summary>
internal sealed class MemoryMessageBody(ReadOnlyMemory<byte> body) : MessageBody
{
    private byte[]? _bytes;
    private string? _text;

    public long? Length => body.Length;

    public Stream GetStream() => System.Runtime.InteropServices.MemoryMarshal.TryGetArray(body, out var segment)
        ? new MemoryStream(segment.Array!, segment.Offset, segment.Count, writable: false)
        : new MemoryStream(GetBytes(), writable: false);

    public byte[] GetBytes() => _bytes ??= body.ToArray();

    public string GetString() => _text ??= Encoding.UTF8.GetString(body.Span);
}

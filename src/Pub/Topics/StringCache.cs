using System.IO.Hashing;
using System.Text;

namespace Pub.Topics;

/// <summary>
/// Gives one string for equal bytes where it can, so that the few types and content types of a process are not made anew for every message.
/// </summary>
/// <remarks>At most <see cref="Places"/> strings of at most <see cref="MaxBytes"/> bytes. A place is replaced whole, so it is never seen half-written; no lock.</remarks>
internal sealed class StringCache
{
    private const int Places = 512;
    private const int MaxBytes = 512;
    private readonly Item?[] _items = new Item?[Places];

    public static StringCache Shared { get; } = new();

    public string Get(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > MaxBytes)
        {
            return Encoding.UTF8.GetString(utf8);
        }

        var place = (int)(XxHash3.HashToUInt64(utf8) % Places);
        var item = Volatile.Read(ref _items[place]);
        if (item is not null && utf8.SequenceEqual(item.Utf8))
        {
            return item.Text;
        }

        item = new Item(utf8.ToArray(), Encoding.UTF8.GetString(utf8));
        Volatile.Write(ref _items[place], item);
        return item.Text;
    }

    private sealed record Item(byte[] Utf8, string Text);
}

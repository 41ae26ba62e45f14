using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Pub.Topics;

/// <summary>
/// Strings to JSON and back, exactly. What is no valid UTF-16 (a lone surrogate) is written as its escape and comes back as it was, which
/// the base library refuses.
/// </summary>
internal static class JsonText
{
    /// <summary>The most bytes that one UTF-16 code unit takes: an escape.</summary>
    public const int MaxBytesPerChar = 6;

    private static readonly SearchValues<char> Plain =
        SearchValues.Create(Enumerable.Range(0x20, 0x7F - 0x20).Select(code => (char)code).Except(['"', '\\']).ToArray());

    /// <summary>Writes the string with its quotes and answers how many bytes that took.</summary>
    public static int WriteString(Span<byte> target, ReadOnlySpan<char> text)
    {
        target[0] = (byte)'"';
        var written = 1;
        while (!text.IsEmpty)
        {
            var plain = text.IndexOfAnyExcept(Plain);
            var run = plain < 0 ? text.Length : plain;
            written += Encoding.UTF8.GetBytes(text[..run], target[written..]);
            text = text[run..];
            if (!text.IsEmpty)
            {
                written += WriteSpecial(target[written..], ref text);
            }
        }

        target[written] = (byte)'"';
        return written + 1;
    }

    /// <summary>The string that the reader stands on.</summary>
    public static string ReadString(ref Utf8JsonReader reader)
    {
        var stored = reader.ValueSpan;
        return reader.ValueIsEscaped ? Unescape(stored) : Encoding.UTF8.GetString(stored);
    }

    private static int WriteSpecial(Span<byte> target, ref ReadOnlySpan<char> text)
    {
        var status = Rune.DecodeFromUtf16(text, out var rune, out var consumed);
        var unit = text[0];
        text = text[consumed..];
        if (status == OperationStatus.Done && rune.Value >= 0x20 && rune.Value is not ('"' or '\\'))
        {
            return rune.EncodeToUtf8(target);
        }

        target[0] = (byte)'\\';
        if (unit is '"' or '\\')
        {
            target[1] = (byte)unit;
            return 2;
        }

        target[1] = (byte)'u';
        Utf8Formatter.TryFormat(unit, target[2..], out _, new StandardFormat('x', 4));
        return MaxBytesPerChar;
    }

    private static string Unescape(ReadOnlySpan<byte> stored)
    {
        var text = new StringBuilder(stored.Length);
        while (!stored.IsEmpty)
        {
            var escape = stored.IndexOf((byte)'\\');
            text.Append(Encoding.UTF8.GetString(escape < 0 ? stored : stored[..escape]));
            if (escape < 0)
            {
                break;
            }

            stored = stored[(escape + 1)..];
            if (stored[0] == (byte)'u')
            {
                text.Append((char)ushort.Parse(stored.Slice(1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                stored = stored[5..];
            }
            else
            {
                text.Append(Unescaped(stored[0]));
                stored = stored[1..];
            }
        }

        return text.ToString();
    }

    // The reader has checked that it is one of these.
    private static char Unescaped(byte escape) => escape switch
    {
        (byte)'b' => '\b',
        (byte)'f' => '\f',
        (byte)'n' => '\n',
        (byte)'r' => '\r',
        (byte)'t' => '\t',
        _ => (char)escape,
    };
}

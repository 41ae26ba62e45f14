using System.Buffers.Text;
using System.Text.Json;

namespace Pub.Storage;

/// <summary>
/// Adds to a number inside a JSON document by exchanging its digits and nothing else: the increment of every store that has none of its own.
/// </summary>
public static class JsonCounter
{
    private const int MaxDigits = 20;

    /// <summary>The document with <paramref name="delta"/> added to the whole number at <paramref name="path"/>; every other byte stays as it is.</summary>
    /// <param name="json">The document. What follows the number is not looked at.</param>
    /// <param name="path">Where the number is. Of several properties with that name the first counts.</param>
    /// <param name="delta">What to add; may be negative.</param>
    /// <param name="value">The new value.</param>
    /// <exception cref="DocumentFormatException">There is no whole number of 64 bits at the path, or the bytes before it are no JSON object.</exception>
    /// <exception cref="OverflowException">The sum does not fit into 64 bits.</exception>
    public static byte[] Add(ReadOnlySpan<byte> json, CounterPath path, long delta, out long value)
    {
        var number = Find(json, path, out var before);
        value = checked(before + delta);

        Span<byte> digits = stackalloc byte[MaxDigits];
        Utf8Formatter.TryFormat(value, digits, out var length);
        var (start, end) = (number.Start.Value, number.End.Value);
        var result = GC.AllocateUninitializedArray<byte>(json.Length - (end - start) + length);
        json[..start].CopyTo(result);
        digits[..length].CopyTo(result.AsSpan(start));
        json[end..].CopyTo(result.AsSpan(start + length));
        return result;
    }

    /// <summary>Reads the whole number at <paramref name="path"/>.</summary>
    /// <exception cref="DocumentFormatException">There is none.</exception>
    public static long Read(ReadOnlySpan<byte> json, CounterPath path)
    {
        Find(json, path, out var value);
        return value;
    }

    private static Range Find(ReadOnlySpan<byte> json, CounterPath path, out long value)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            if (MoveTo(ref reader, path) && reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out value))
            {
                return (int)reader.TokenStartIndex..(int)reader.BytesConsumed;
            }
        }
        catch (JsonException exception)
        {
            throw new DocumentFormatException($"The document is no JSON object that could hold a number at '{path}'.", exception);
        }

        throw new DocumentFormatException($"The document holds no whole number at '{path}'.");
    }

    private static bool MoveTo(ref Utf8JsonReader reader, CounterPath path)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var found = reader.ValueTextEquals(path.Property);
            reader.Read();
            if (found)
            {
                return path.Index < 0 || MoveToElement(ref reader, path.Index);
            }

            reader.Skip();
        }

        return false;
    }

    private static bool MoveToElement(ref Utf8JsonReader reader, int index)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return false;
        }

        for (var place = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; place++)
        {
            if (place == index)
            {
                return true;
            }

            reader.Skip();
        }

        return false;
    }
}

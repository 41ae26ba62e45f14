using System.Text.Json;
using System.Text.Unicode;

namespace Pub.Topics;

/// <summary>
/// Which bodies may stand in an entry as they are. One that slipped through would change its neighbours or make the entry unreadable
/// (executions.md 25), so the check is ours and stricter than any reader's.
/// </summary>
internal static class BodyCheck
{
    /// <summary>The deepest nesting that is embedded.</summary>
    public const int MaxDepth = 24;

    private static readonly JsonReaderOptions Strict = new() { MaxDepth = MaxDepth, CommentHandling = JsonCommentHandling.Disallow, AllowTrailingCommas = false };

    /// <summary>Whether the bytes are valid UTF-8 and one strict JSON object or array, with nothing around it, at most <see cref="MaxDepth"/> deep.</summary>
    public static bool IsEmbeddable(ReadOnlySpan<byte> body)
    {
        // The ends rule out white space, byte order marks and most of what is no JSON without an exception.
        if (body is not ([(byte)'{', .., (byte)'}'] or [(byte)'[', .., (byte)']']) || !Utf8.IsValid(body))
        {
            return false;
        }

        try
        {
            var reader = new Utf8JsonReader(body, Strict);
            while (reader.Read())
            {
            }

            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Whether a content type says JSON: <c>application/json</c> or <c>…+json</c>, with or without parameters.</summary>
    public static bool IsJson(ReadOnlySpan<char> contentType)
    {
        var end = contentType.IndexOf(';');
        var mediaType = (end < 0 ? contentType : contentType[..end]).Trim();
        return mediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase) || mediaType.EndsWith("+json", StringComparison.OrdinalIgnoreCase);
    }
}

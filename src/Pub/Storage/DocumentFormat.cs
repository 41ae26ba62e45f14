using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Pub.Storage;

/// <summary>
/// How one kind of document is stored: JSON of <typeparamref name="T"/>, headed by its format version as <c>"v"</c>. The version is written and
/// checked here, so <typeparamref name="T"/> does not carry it. Give it a type info of a source-generated context.
/// </summary>
/// <param name="what">What the document is, for people who read the error: "session", "assignment".</param>
/// <param name="version">The version written, and the highest one read.</param>
/// <param name="type">How the content is written and read.</param>
internal sealed class DocumentFormat<T>(string what, int version, JsonTypeInfo<T> type)
    where T : class
{
    private readonly byte[] _head = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{\"v\":{version}"));

    /// <summary>The document, or null if there is none.</summary>
    /// <exception cref="FormatVersionException">A newer program wrote it.</exception>
    /// <exception cref="DocumentFormatException">It is damaged, or not what its key says.</exception>
    public T? Read(DocumentKey key, StoredDocument stored)
    {
        if (!stored.Exists)
        {
            return null;
        }

        try
        {
            // Before anything else is read: a newer format may have another shape altogether.
            CheckVersion(key, stored.Content.Span);
            return JsonSerializer.Deserialize(stored.Content.Span, type)
                ?? throw new DocumentFormatException($"The {what} document {key} is null.");
        }
        catch (JsonException e)
        {
            throw new DocumentFormatException($"The {what} document {key} cannot be read: {e.Message}", e);
        }
    }

    public ReadOnlyMemory<byte> Write(T document)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(document, type);
        var isEmpty = body is [(byte)'{', (byte)'}'];
        var content = new byte[_head.Length + body.Length - (isEmpty ? 1 : 0)];
        _head.CopyTo(content, 0);
        if (!isEmpty)
        {
            content[_head.Length] = (byte)',';
        }

        body.AsSpan(1).CopyTo(content.AsSpan(content.Length - body.Length + 1));
        return content;
    }

    private void CheckVersion(DocumentKey key, ReadOnlySpan<byte> content)
    {
        var found = FindVersion(content) ?? throw new DocumentFormatException($"The {what} document {key} has no format version.");
        if (found > version)
        {
            throw new FormatVersionException($"The {what} document {key}", found, version);
        }
    }

    private static int? FindVersion(ReadOnlySpan<byte> content)
    {
        var reader = new Utf8JsonReader(content);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return null;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isVersion = reader.ValueTextEquals("v"u8);
            reader.Read();
            if (isVersion)
            {
                return reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var found) && found > 0 ? found : null;
            }

            reader.Skip();
        }

        return null;
    }
}

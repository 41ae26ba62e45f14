using System.Globalization;
using System.Text.Json;
using MassTransit.Serialization;

namespace MassTransit.PubTransport;

/// <summary>
/// Transport headers as text: strings, numbers, dates (ISO 8601), Guids and Uris as they are written, what has structure as JSON. Reading converts
/// to the type that is asked for.
/// </summary>
internal static class HeaderText
{
    public static Dictionary<string, string> From(Headers headers)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in headers.GetAll())
        {
            if (value is not null)
            {
                texts[name] = Format(value);
            }
        }

        return texts;
    }

    public static string Format(object value) => value switch
    {
        string text => text,
        DateTime time => time.ToString("O", CultureInfo.InvariantCulture),
        DateTimeOffset time => time.ToString("O", CultureInfo.InvariantCulture),
        Uri address => address.ToString(),
        bool flag => flag ? "true" : "false",
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => JsonSerializer.Serialize(value, SystemTextJsonMessageSerializer.Options),
    };
}

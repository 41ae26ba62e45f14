using System.Globalization;
using System.IO.Hashing;
using System.Text;
using Pub;

namespace MassTransit.PubTransport.Topology;

/// <summary>
/// How names of MassTransit become names of Pub. In a virtual host with a name they get the prefix <c>vh:&lt;virtual host&gt;:</c>, which no name of the
/// virtual host without a name may have: so two virtual hosts never share a log.
/// </summary>
internal static class EntityNames
{
    private const string VirtualHostPrefix = "vh:";
    private const int HashChars = 32;

    public static TopicName Topic(string virtualHost, string name) => TopicName.Topic(Qualify(virtualHost, name));

    public static TopicName Queue(string virtualHost, string name) => TopicName.Queue(Qualify(virtualHost, name));

    public static SubscriptionName Subscription(string virtualHost, string name) => SubscriptionName.Queue(Qualify(virtualHost, name));

    public static string CheckVirtualHost(string? virtualHost)
    {
        if (string.IsNullOrWhiteSpace(virtualHost) || virtualHost == PubHostAddress.DefaultVirtualHost)
        {
            return PubHostAddress.DefaultVirtualHost;
        }

        var name = virtualHost.Trim('/');
        return name.Length is > 0 and <= 60 && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.')
            ? name
            : throw new ArgumentException($"'{virtualHost}' cannot name a virtual host; allowed are 1 to 60 letters, digits and - _ .", nameof(virtualHost));
    }

    /// <summary>
    /// Names of nested generics grow without limit; what is too long keeps its beginning and ends with a hash of the whole, so different names stay different.
    /// </summary>
    private static string Qualify(string virtualHost, string name)
    {
        if (virtualHost == PubHostAddress.DefaultVirtualHost)
        {
            if (name.StartsWith(VirtualHostPrefix, StringComparison.Ordinal))
            {
                throw new ArgumentException($"'{name}' begins with '{VirtualHostPrefix}', which marks a virtual host.", nameof(name));
            }
        }
        else
        {
            name = $"{VirtualHostPrefix}{virtualHost}:{name}";
        }

        return NameRules.Fits(name) ? name : Shorten(name);
    }

    private static string Shorten(string name)
    {
        var kept = new StringBuilder();
        var bytes = 0;
        foreach (var rune in name.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > NameRules.MaxBytes - HashChars - 1)
            {
                break;
            }

            kept.Append(rune.ToString());
        }

        var hash = XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(name)).ToString("x32", CultureInfo.InvariantCulture);
        return kept.Append('.').Append(hash).ToString();
    }
}

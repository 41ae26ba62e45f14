using System.Globalization;
using System.Text;

namespace Pub;

/// <summary>What kind of log a name stands for. A queue and a topic of one name are different logs.</summary>
public enum TopicKind
{
    /// <summary>A topic: every subscription sees every message; who comes later starts at the tail.</summary>
    Topic,

    /// <summary>A queue: a topic with one subscription of the same name, which starts at its first entry and forgets nothing by age.</summary>
    Queue,

    /// <summary>A log that Pub keeps for itself: time buckets, and the own queues of plain subscriptions.</summary>
    Internal,
}

/// <summary>
/// The name of a topic or queue: 1 to 200 bytes of UTF-8; letters, digits and <c>- _ . :</c>. Written <c>t:orders</c>, <c>q:orders</c>.
/// </summary>
public readonly record struct TopicName : IComparable<TopicName>
{
    private readonly string? _name;

    private TopicName(TopicKind kind, string name)
    {
        Kind = kind;
        _name = name;
    }

    /// <summary>Topic or queue.</summary>
    public TopicKind Kind { get; }

    /// <summary>The name without its kind.</summary>
    public string Name => _name ?? throw new InvalidOperationException("A default TopicName has no name; use TopicName.Topic or TopicName.Queue.");

    /// <summary>A topic's name.</summary>
    /// <exception cref="ArgumentException">The name is empty, too long or has a character that is not allowed.</exception>
    public static TopicName Topic(string name) => new(TopicKind.Topic, NameRules.Check(name, nameof(name)));

    /// <summary>A queue's name.</summary>
    /// <exception cref="ArgumentException">The name is empty, too long or has a character that is not allowed.</exception>
    public static TopicName Queue(string name) => new(TopicKind.Queue, NameRules.Check(name, nameof(name)));

    internal static TopicName Internal(string name) => new(TopicKind.Internal, NameRules.Check(name, nameof(name)));

    /// <summary>Reads <c>t:name</c> or <c>q:name</c>.</summary>
    /// <exception cref="FormatException">The text has neither form.</exception>
    public static TopicName Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var name = text.Length > 2 ? text[2..] : "";
        return text switch
        {
            ['t', ':', ..] => Topic(name),
            ['q', ':', ..] => Queue(name),
            ['i', ':', ..] => Internal(name),
            _ => throw new FormatException($"'{text}' is no topic name: write t:<topic> or q:<queue>."),
        };
    }

    /// <inheritdoc/>
    public int CompareTo(TopicName other) => string.CompareOrdinal(ToString(), other.ToString());

    /// <inheritdoc/>
    public override string ToString() => (Kind switch { TopicKind.Topic => "t:", TopicKind.Queue => "q:", _ => "i:" }) + Name;
}

/// <summary>
/// The name of a subscription: a queue's own (<c>q:orders</c>, which also reads the queue), or a plain one (<c>s:audit</c>). Rules as <see cref="TopicName"/>.
/// </summary>
public readonly record struct SubscriptionName : IComparable<SubscriptionName>
{
    private readonly string? _name;

    private SubscriptionName(bool isQueue, string name)
    {
        IsQueue = isQueue;
        _name = name;
    }

    /// <summary>Whether this is the subscription of a queue of the same name.</summary>
    public bool IsQueue { get; }

    /// <summary>The name without its kind.</summary>
    public string Name => _name ?? throw new InvalidOperationException("A default SubscriptionName has no name; use SubscriptionName.Plain or SubscriptionName.Queue.");

    /// <summary>A subscription that reads topics only.</summary>
    /// <exception cref="ArgumentException">The name is empty, too long or has a character that is not allowed.</exception>
    public static SubscriptionName Plain(string name) => new(false, NameRules.Check(name, nameof(name)));

    /// <summary>The subscription of a queue.</summary>
    /// <exception cref="ArgumentException">The name is empty, too long or has a character that is not allowed.</exception>
    public static SubscriptionName Queue(string name) => new(true, NameRules.Check(name, nameof(name)));

    /// <summary>Reads <c>s:name</c> or <c>q:name</c>.</summary>
    /// <exception cref="FormatException">The text has neither form.</exception>
    public static SubscriptionName Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text switch
        {
            ['s', ':', ..] => Plain(text[2..]),
            ['q', ':', ..] => Queue(text[2..]),
            _ => throw new FormatException($"'{text}' is no subscription name: write s:<subscription> or q:<queue>."),
        };
    }

    /// <summary>
    /// The log that belongs to this subscription alone, where its delayed and requeued messages come back: the queue itself, or a plain subscription's hidden one.
    /// </summary>
    public TopicName OwnQueue => IsQueue ? TopicName.Queue(Name) : TopicName.Internal("own:" + NameRules.Hidden(Name));

    /// <inheritdoc/>
    public int CompareTo(SubscriptionName other) => string.CompareOrdinal(ToString(), other.ToString());

    /// <inheritdoc/>
    public override string ToString() => (IsQueue ? "q:" : "s:") + Name;
}

/// <summary>The rule for names, and how a name becomes part of a key.</summary>
internal static class NameRules
{
    public const int MaxBytes = 200;
    private const int KeyBytes = 80;
    private const string LongPrefix = "long:";

    public static string Check(string name, string parameter)
    {
        ArgumentException.ThrowIfNullOrEmpty(name, parameter);
        foreach (var rune in name.EnumerateRunes())
        {
            if (rune == Rune.ReplacementChar || !(Rune.IsLetterOrDigit(rune) || IsMark(rune) || rune.Value is '-' or '_' or '.' or ':'))
            {
                throw new ArgumentException(
                    $"'{name}' has the character U+{rune.Value:X4}; a name has letters, digits and - _ . : only.", parameter);
            }
        }

        var bytes = Encoding.UTF8.GetByteCount(name);
        return bytes <= MaxBytes
            ? name
            : throw new ArgumentException($"The name that begins '{name[..40]}' has {bytes} bytes of UTF-8; at most {MaxBytes} are allowed.", parameter);
    }

    /// <summary>
    /// The name as part of a key: itself, or what is too long as its beginning, '~' (in no name) and a hash. Different names give different parts.
    /// </summary>
    public static string KeyPart(string prefixedName)
    {
        if (Encoding.UTF8.GetByteCount(prefixedName) <= KeyBytes)
        {
            return prefixedName;
        }

        var kept = new StringBuilder();
        var bytes = 0;
        foreach (var rune in prefixedName.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > KeyBytes - 33)
            {
                break;
            }

            kept.Append(rune.ToString());
        }

        return kept.Append('~').Append(Hash(prefixedName)).ToString();
    }

    /// <summary>A name that fits behind the prefix of an internal log; different names stay different.</summary>
    public static string Hidden(string name) =>
        Encoding.UTF8.GetByteCount(name) <= MaxBytes - 20 && !name.StartsWith(LongPrefix, StringComparison.Ordinal) ? name : LongPrefix + Hash(name);

    public static bool Fits(string name) => Encoding.UTF8.GetByteCount(name) <= MaxBytes;

    private static string Hash(string text)
    {
        var hash = System.IO.Hashing.XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(text));
        return hash.ToString("x32", CultureInfo.InvariantCulture);
    }

    // Combining marks belong to the letters of many scripts.
    private static bool IsMark(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;
}

using System.Globalization;

namespace Pub.Scheduling;

/// <summary>What a bucket holds for one message: the message itself with its target, or the name of a document that holds it.</summary>
/// <param name="Due">When to publish, Unix milliseconds.</param>
/// <param name="Scheduled">The message as it is to be published; default in a line that names a token.</param>
/// <param name="Token">The token; null in a message.</param>
/// <param name="ScheduleId">Which scheduling of the token; null in a message.</param>
internal sealed record ScheduleEnvelope(long Due, ScheduledMessage Scheduled, string? Token = null, string? ScheduleId = null);

/// <summary>
/// A scheduled message in a bucket is a message with one more header, <see cref="Header"/>:
/// <c>m;due;ticks of the time to live or -;flags;shard or -;target</c>, or, without body, <c>t;due;schedule id;token</c>. The names' rule allows no semicolon.
/// Flags: 1, Sent was given; 2, only if the target exists.
/// </summary>
internal static class ScheduleHeader
{
    public const string Header = "pub-schedule";

    private const int SentGiven = 1;
    private const int OnlyIfExists = 2;

    /// <summary>The message as it stands in a bucket or a token's document.</summary>
    /// <exception cref="ArgumentException">It has the header already.</exception>
    public static OutgoingMessage Wrap(ScheduledMessage scheduled)
    {
        var message = scheduled.Message;
        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in message.Headers ?? headers)
        {
            if (name == Header)
            {
                throw new ArgumentException($"The message has the header '{Header}', which is Pub's own.", nameof(scheduled));
            }

            headers.Add(name, value);
        }

        // A time to live that begins at an unknown time cannot be an instant yet.
        var timeToLive = message.TimeToLive is { } duration ? Text(duration.Ticks) : "-";
        var flags = (message.Sent is null ? 0 : SentGiven) | (scheduled.Options.OnlyIfExists ? OnlyIfExists : 0);
        var shard = scheduled.Options.Shard is { } given ? Text(given) : "-";
        headers.Add(Header, $"m;{Text(scheduled.Due.ToUnixTimeMilliseconds())};{timeToLive};{Text(flags)};{shard};{scheduled.Target}");
        return new OutgoingMessage
        {
            Id = message.Id,
            Key = message.Key,
            Type = message.Type,
            ContentType = message.ContentType,
            Headers = headers,
            Body = message.Body,
            Sent = message.Sent,
        };
    }

    /// <summary>The line that names a token's document.</summary>
    public static OutgoingMessage TokenLine(string token, string scheduleId, DateTimeOffset due) => new()
    {
        Id = scheduleId,
        Headers = new Dictionary<string, string> { [Header] = $"t;{Text(due.ToUnixTimeMilliseconds())};{scheduleId};{token}" },
    };

    /// <summary>When a message of a bucket is due; null if it is none.</summary>
    public static long? Due(Message message) =>
        message.Headers.TryGetValue(Header, out var value)
        && value.Split(';') is [_, var due, ..]
        && long.TryParse(due, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var milliseconds)
            ? milliseconds
            : null;

    /// <summary>What a message of a bucket or a token's document says; null if it is no scheduled message.</summary>
    public static ScheduleEnvelope? Open(Message message)
    {
        if (Due(message) is not { } due)
        {
            return null;
        }

        try
        {
            return message.Headers[Header].Split(';') switch
            {
                ["m", _, var timeToLive, var flags, var shard, var target] => new(due, Unwrapped(message, due, timeToLive, Number(flags), shard, target)),
                ["t", _, var scheduleId, var token] => new(due, default, token, scheduleId),
                _ => null,
            };
        }
        catch (Exception e) when (e is FormatException or ArgumentException or OverflowException)
        {
            return null;
        }
    }

    private static ScheduledMessage Unwrapped(Message message, long due, string timeToLive, int flags, string shard, string target)
    {
        var outgoing = new OutgoingMessage
        {
            Id = message.Id,
            Key = message.Key,
            Type = message.Type,
            ContentType = message.ContentType,
            Headers = message.Headers.Where(header => header.Key != Header).ToDictionary(StringComparer.Ordinal),
            Body = message.Body,
            TimeToLive = timeToLive == "-" ? null : TimeSpan.FromTicks(long.Parse(timeToLive, CultureInfo.InvariantCulture)),
            Sent = (flags & SentGiven) != 0 ? message.Sent : null,
        };
        var options = new PublishOptions { Shard = shard == "-" ? null : Number(shard), OnlyIfExists = (flags & OnlyIfExists) != 0 };
        return new(TopicName.Parse(target), outgoing, DateTimeOffset.FromUnixTimeMilliseconds(due), options);
    }

    private static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}

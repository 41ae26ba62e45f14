using System.Text.Json.Serialization;
using Pub.Storage;
using Pub.Topics;

namespace Pub.Scheduling;

/// <summary>Where one list of the directory is: days, the hours of a day, or the logs of an hour.</summary>
/// <param name="Key">Its document.</param>
/// <param name="Item">Its line in the list above; empty for the days.</param>
/// <param name="Day">The day; empty for the days.</param>
internal readonly record struct DirectoryList(DocumentKey Key, string Item, string Day)
{
    public static DirectoryList Days => new(DocumentKeys.ScheduleDays, "", "");

    /// <summary>The list that this one has a line in; null for the days.</summary>
    public DirectoryList? Above => this == Days ? null : Item == Day ? Days : OfDay(Day);

    public static DirectoryList OfDay(string day) => new(DocumentKeys.ScheduleDay(day), day, day);

    public static DirectoryList OfHour(string day, string hourOfDay) => new(DocumentKeys.ScheduleHour(day, hourOfDay), hourOfDay, day);

    public static DirectoryList OfHour(BucketMinute minute) => OfHour(minute.Day, minute.HourOfDay);
}

/// <summary>
/// A list of the directory as stored (docs/documents.md, "schedules"). Changed by CAS only, except <see cref="Changes"/>.
/// <code>
/// closed ⇒ no items; a closed list is never opened, only removed
/// an item of a list below days was written to the list above before anybody relied on it
/// </code>
/// </summary>
internal sealed record DirectoryListDocument
{
    public static readonly DocumentFormat<DirectoryListDocument> Format = new("schedule directory", 1, DirectoryFormatContext.Default.DirectoryListDocument);

    public static CounterPath ChangesPath => new("changes");

    /// <summary>Of days: incremented when a log is listed that is soon due. Others: 0.</summary>
    public long Changes { get; init; }

    /// <summary>The list was found empty and is being removed.</summary>
    public bool Closed { get; init; }

    /// <summary>Days, hours, or logs as <c>minute:id</c>, in the order in which they were added.</summary>
    public IReadOnlyList<string> Items { get; init; } = [];

    public DirectoryListDocument With(string item) => this with { Items = [.. Items, item] };

    /// <summary>Without the item, and closed if it was the last one, unless the list is the one of days, which stays.</summary>
    public DirectoryListDocument Without(string item, bool isDays)
    {
        string[] rest = [.. Items.Where(other => other != item)];
        return this with { Items = rest, Closed = rest.Length == 0 && !isDays };
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DirectoryListDocument))]
internal sealed partial class DirectoryFormatContext : JsonSerializerContext;

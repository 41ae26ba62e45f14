using System.Globalization;

namespace Pub.Scheduling;

/// <summary>A minute of due time: what one bucket holds. Minutes since 1970, UTC.</summary>
internal readonly record struct BucketMinute(long Value) : IComparable<BucketMinute>
{
    public DateTimeOffset Start => DateTimeOffset.FromUnixTimeSeconds(Value * 60);

    public DateTimeOffset End => Start + TimeSpan.FromMinutes(1);

    /// <summary><c>2026-11-23</c>. Sorts as text.</summary>
    public string Day => Text("yyyy-MM-dd");

    /// <summary><c>10</c>: the hour in its day.</summary>
    public string HourOfDay => Text("HH");

    /// <summary><c>05</c>: the minute in its hour.</summary>
    public string MinuteOfHour => Text("mm");

    public static BucketMinute Of(DateTimeOffset time) => new((long)Math.Floor(time.ToUnixTimeSeconds() / 60.0));

    /// <summary>Null if this is no such time.</summary>
    public static BucketMinute? TryParse(string day, string hour, string minute) =>
        DateTimeOffset.TryParseExact(
            $"{day}T{hour}:{minute}", "yyyy-MM-ddTHH:mm", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? Of(time)
            : null;

    public int CompareTo(BucketMinute other) => Value.CompareTo(other.Value);

    public static bool operator <(BucketMinute left, BucketMinute right) => left.Value < right.Value;

    public static bool operator >(BucketMinute left, BucketMinute right) => left.Value > right.Value;

    private string Text(string format) => Start.ToString(format, CultureInfo.InvariantCulture);
}

/// <summary>One log of a bucket. The id is new for every log, so that none is ever made twice.</summary>
internal readonly record struct BucketName(BucketMinute Minute, string Id) : IComparable<BucketName>
{
    /// <summary>Shards of every bucket's log; part of the format, for lease n moves shard n.</summary>
    public const int Shards = 4;

    public TopicName Topic => TopicName.Internal($"at:{Minute.Day}T{Minute.HourOfDay}:{Minute.MinuteOfHour}:{Id}");

    /// <summary>Its line in the hour's list.</summary>
    public string Line => $"{Minute.MinuteOfHour}:{Id}";

    /// <summary>Null if the line is none.</summary>
    public static BucketName? TryParse(string day, string hour, string line) =>
        line.Length > 3 && line[2] == ':' && BucketMinute.TryParse(day, hour, line[..2]) is { } minute ? new BucketName(minute, line[3..]) : null;

    public int CompareTo(BucketName other)
    {
        var byMinute = Minute.CompareTo(other.Minute);
        return byMinute != 0 ? byMinute : string.CompareOrdinal(Id, other.Id);
    }
}

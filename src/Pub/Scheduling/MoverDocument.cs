using System.Text.Json.Serialization;
using Pub.Storage;

namespace Pub.Scheduling;

/// <summary>
/// The progress of one lease of the schedules as stored (docs/documents.md, "schedules"). One writer: the holder, under its token.
/// <code>
/// token never falls
/// a log's line is taken out only when the log's shard is finished, or the log is gone
/// </code>
/// </summary>
internal sealed record MoverDocument
{
    public static readonly DocumentFormat<MoverDocument> Format = new("schedule progress", 1, MoverFormatContext.Default.MoverDocument);

    public long Token { get; init; }

    public string? Session { get; init; }

    public IReadOnlyList<MoverLine> Logs { get; init; } = [];
}

/// <summary>One log's line: its name, offset looked through, the largest key moved as [due, offset, index], the holes.</summary>
internal sealed record MoverLine(string Log, long Through, long[] Moved, long[] Holes)
{
    public static MoverLine Of(BucketName bucket, BucketProgress progress) =>
        new(bucket.Topic.Name, progress.Through, [progress.Moved.Due, progress.Moved.Offset, progress.Moved.Index], [.. progress.Holes]);

    public BucketProgress ToProgress() =>
        Moved is [var due, var offset, var index]
            ? new(Through, new DueKey(due, offset, (int)index), Holes)
            : throw new DocumentFormatException($"The schedule progress of {Log} has {Moved.Length} numbers where it should have three.");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(MoverDocument))]
internal sealed partial class MoverFormatContext : JsonSerializerContext;

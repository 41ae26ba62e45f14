using System.Text.Json.Serialization;
using Pub.Storage;

namespace Pub.Subscriptions;

/// <summary>
/// The stored progress of one lease (docs/documents.md, "cursors"). One document, one writer: the holder, under its token. Only
/// <see cref="CursorEdits"/> writes besides, and raises <see cref="Rewinds"/> when it does.
/// <code>
/// token never falls; rewinds never falls
/// a shard's floor never falls while rewinds stays the same
/// </code>
/// </summary>
internal sealed record CursorDocument
{
    public static readonly DocumentFormat<CursorFormat> Format = new("cursor", 1, CursorFormatContext.Default.CursorFormat);

    public static CursorDocument Empty { get; } = new();

    /// <summary>Fencing number: a lower one is refused.</summary>
    public long Token { get; init; }

    /// <summary>The session that holds <see cref="Token"/>; null before the first holder.</summary>
    public string? Session { get; init; }

    /// <summary>Counts edits by others than the holder: rewinds, purges, requeues. The holder reloads when it finds more than it knows.</summary>
    public long Rewinds { get; init; }

    /// <summary>Progress by shard; a shard without a line stands at its start. Ascending by topic and number.</summary>
    public IReadOnlyList<ShardCursor> Shards { get; init; } = [];

    public ShardCursor? Find(ShardId shard)
    {
        foreach (var cursor in Shards)
        {
            if (cursor.Shard == shard)
            {
                return cursor;
            }
        }

        return null;
    }

    /// <summary>The document with a shard's line replaced or added.</summary>
    public CursorDocument With(ShardCursor line)
    {
        var lines = new List<ShardCursor>(Shards.Count + 1);
        foreach (var other in Shards)
        {
            if (other.Shard != line.Shard)
            {
                lines.Add(other);
            }
        }

        var index = lines.FindIndex(other => Compare(line.Shard, other.Shard) < 0);
        lines.Insert(index < 0 ? lines.Count : index, line);
        return this with { Shards = lines };
    }

    /// <exception cref="FormatVersionException">Written by a newer program.</exception>
    /// <exception cref="DocumentFormatException">Not a cursor.</exception>
    public static CursorDocument Read(DocumentKey key, StoredDocument stored) => From(Format.Read(key, stored));

    public ReadOnlyMemory<byte> Write() => Format.Write(ToStored());

    internal static CursorDocument From(CursorFormat? stored) => stored is null
        ? Empty
        : new CursorDocument
        {
            Token = stored.Token,
            Session = stored.Session,
            Rewinds = stored.Rewinds,
            Shards = [.. (stored.Shards ?? throw new DocumentFormatException("A cursor's shards are null.")).Select(ShardCursor.From)],
        };

    internal CursorFormat ToStored() =>
        new() { Token = Token, Session = Session, Rewinds = Rewinds, Shards = [.. Shards.Select(line => line.ToFormat())] };

    /// <summary>The order of lines.</summary>
    internal static int Compare(ShardId left, ShardId right)
    {
        var byTopic = left.Topic.CompareTo(right.Topic);
        return byTopic != 0 ? byTopic : left.Number.CompareTo(right.Number);
    }
}

/// <summary>One shard's line in a cursor.</summary>
/// <param name="Shard">The shard.</param>
/// <param name="Floor">Everything below is settled.</param>
/// <param name="Settled">Settled ranges above the floor, ascending.</param>
/// <param name="Counts">Messages that were delivered before and are not settled, with how often.</param>
/// <param name="Ahead">No delivery of an entry at or above this offset has begun: what a dead holder can have had in flight lies below.</param>
internal sealed record ShardCursor(
    ShardId Shard,
    Position Floor,
    IReadOnlyList<PositionRange> Settled,
    IReadOnlyList<DeliveredCount> Counts,
    Offset Ahead)
{
    public static ShardCursor At(ShardId shard, Position floor) => new(shard, floor, [], [], Offset.None);

    internal static ShardCursor From(ShardFormat? stored)
    {
        if (stored is null)
        {
            throw new DocumentFormatException("A cursor's line is null.");
        }

        try
        {
            return new ShardCursor(
                new ShardId(TopicName.Parse(stored.T), stored.S),
                new Position(new Offset(stored.F[0]), (int)stored.F[1]),
                [.. (stored.R ?? []).Select(r => new PositionRange(new Position(new Offset(r[0]), (int)r[1]), new Position(new Offset(r[2]), (int)r[3])))],
                [.. (stored.C ?? []).Select(c => new DeliveredCount(new Position(new Offset(c[0]), (int)c[1]), (int)c[2]))],
                new Offset(stored.A));
        }
        catch (Exception e) when (e is FormatException or ArgumentException or IndexOutOfRangeException or NullReferenceException)
        {
            throw new DocumentFormatException($"A cursor's line for {stored.T}/{stored.S} cannot be read.", e);
        }
    }

    internal ShardFormat ToFormat() => new()
    {
        T = Shard.Topic.ToString(),
        S = Shard.Number,
        F = [Floor.Offset.Value, Floor.Index],
        R = Settled.Count == 0 ? null : [.. Settled.Select(r => new[] { r.From.Offset.Value, r.From.Index, r.To.Offset.Value, r.To.Index })],
        C = Counts.Count == 0 ? null : [.. Counts.Select(c => new[] { c.Position.Offset.Value, c.Position.Index, c.Count })],
        A = Ahead.Value,
    };
}

/// <summary>How often an unsettled message has been delivered.</summary>
internal readonly record struct DeliveredCount(Position Position, int Count);

/// <summary>The document as stored; the names are the format.</summary>
internal sealed class CursorFormat
{
    public long Token { get; set; }

    public string? Session { get; set; }

    public long Rewinds { get; set; }

    public List<ShardFormat?>? Shards { get; set; } = [];
}

/// <summary>A shard's line as stored: t topic, s shard, f floor, r settled ranges, c delivery counts, a ahead.</summary>
internal sealed class ShardFormat
{
    public string T { get; set; } = "";

    public int S { get; set; }

    public long[] F { get; set; } = [];

    public long[][]? R { get; set; }

    public long[][]? C { get; set; }

    public long A { get; set; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CursorFormat))]
internal sealed partial class CursorFormatContext : JsonSerializerContext;

using System.Text.Json.Serialization;

namespace Pub.Leases;

/// <summary>Whether a session may still be good. Goes from alive to dead, never back.</summary>
internal enum SessionState
{
    [JsonStringEnumMemberName("alive")]
    Alive,

    [JsonStringEnumMemberName("dead")]
    Dead,
}

/// <summary>A session as stored (docs/documents.md). Its owner alone writes it, except for the one write that makes it dead.</summary>
internal sealed record SessionDocument
{
    public required string Id { get; init; }

    /// <summary>Host and process, for people.</summary>
    public required string Name { get; init; }

    /// <summary>Counts the beats. Whoever sees it move knows that the session lived after its previous look.</summary>
    public long Beat { get; init; }

    /// <summary>When the last beat was written, in Unix milliseconds by the owner's clock: for people; nobody decides by it.</summary>
    public long At { get; init; }

    public SessionState State { get; init; }

    /// <summary>The temporary subscriptions that end with this session.</summary>
    public IReadOnlyList<string> Temporaries { get; init; } = [];
}

/// <summary>The directory: all sessions that are not yet cleaned up. A session is listed before its document is made.</summary>
internal sealed record SessionDirectory
{
    public IReadOnlyList<string> Sessions { get; init; } = [];
}

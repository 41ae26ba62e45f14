using System.Text.Json.Serialization;

namespace Pub.Leases;

/// <summary>What an assignment says about one lease.</summary>
internal enum LeaseState
{
    /// <summary>Nobody's. Its last holder's cursor is written.</summary>
    [JsonStringEnumMemberName("free")]
    Free,

    /// <summary>Its session works on it, or died doing so.</summary>
    [JsonStringEnumMemberName("held")]
    Held,

    /// <summary>Its session has stopped working on it without a cursor write of known outcome. Not released: it stays in that session's name.</summary>
    [JsonStringEnumMemberName("left")]
    Left,
}

/// <summary>One lease in an assignment.</summary>
internal sealed record LeaseRecord
{
    /// <summary>The lease of a subscription that nobody ever read.</summary>
    public static LeaseRecord Unclaimed { get; } = new();

    /// <summary>Whose; null when free.</summary>
    public string? Session { get; init; }

    /// <summary>Rises with every claim, never falls.</summary>
    public long Token { get; init; }

    public LeaseState State { get; init; }

    public bool IsNamed(string session) => State != LeaseState.Free && Session == session;
}

/// <summary>
/// Who shares the leases of one incarnation of a subscription, and which is whose (docs/documents.md). Changed by CAS, durably.
/// <code>
/// a lease has at most one session;  Session is null exactly when State is free;  a Token never falls, and rises with every claim
/// </code>
/// </summary>
internal sealed record AssignmentDocument
{
    public required string Subscription { get; init; }

    public required string Incarnation { get; init; }

    /// <summary>The sessions that want a share, in the order of their ids.</summary>
    public IReadOnlyList<string> Members { get; init; } = [];

    public required IReadOnlyList<LeaseRecord> Leases { get; init; }

    public static AssignmentDocument New(LeaseScope scope) => new()
    {
        Subscription = scope.Subscription.ToString(),
        Incarnation = scope.Incarnation,
        Leases = [.. Enumerable.Repeat(LeaseRecord.Unclaimed, scope.Leases)],
    };

    /// <summary>Every session that is named, as member or as holder, once, in order.</summary>
    public IReadOnlyList<string> NamedSessions() =>
        [.. Members.Concat(Leases.Select(l => l.Session).OfType<string>()).Distinct().Order(StringComparer.Ordinal)];
}

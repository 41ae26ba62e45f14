namespace Pub;

/// <summary>Part of a sorted list.</summary>
/// <param name="Items">The items, in order.</param>
/// <param name="Next">What to pass to get what follows; null at the end.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next);

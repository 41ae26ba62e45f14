namespace Pub;

/// <summary>
/// An entry's place in its shard: 1, 2, 3 … A topic whose log was closed and opened again goes on at the next multiple of 2^40
/// (docs/decisions/0004-lives-in-the-tail.md), so an offset is never used twice.
/// </summary>
public readonly record struct Offset(long Value) : IComparable<Offset>
{
    internal const int LifeBits = 40;

    /// <summary>Below the first entry.</summary>
    public static Offset None => default;

    /// <summary>The first entry of a new shard.</summary>
    public static Offset First => new(1);

    /// <summary>Which life of the log the offset belongs to: even lives take appends, odd ones are closed.</summary>
    internal long Life => Value >> LifeBits;

    /// <summary>The offset that follows.</summary>
    public Offset Next => new(Value + 1);

    /// <inheritdoc/>
    public int CompareTo(Offset other) => Value.CompareTo(other.Value);

    /// <summary>Whether one offset is below another.</summary>
    public static bool operator <(Offset left, Offset right) => left.Value < right.Value;

    /// <summary>Whether one offset is above another.</summary>
    public static bool operator >(Offset left, Offset right) => left.Value > right.Value;

    /// <summary>Whether one offset is below or equal to another.</summary>
    public static bool operator <=(Offset left, Offset right) => left.Value <= right.Value;

    /// <summary>Whether one offset is above or equal to another.</summary>
    public static bool operator >=(Offset left, Offset right) => left.Value >= right.Value;

    /// <inheritdoc/>
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

namespace Pub;

/// <summary>A message as it lies in the store.</summary>
public sealed record StoredMessage
{
    /// <summary>Where it is.</summary>
    public required MessagePlace Place { get; init; }

    /// <summary>The message.</summary>
    public required Message Message { get; init; }

    /// <summary>When its entry was written, by the publisher's clock.</summary>
    public DateTimeOffset Written { get; init; }

    /// <summary>How often it was delivered, as far as that is written down; 0 where no subscription was asked for.</summary>
    public int Deliveries { get; init; }

    /// <summary>Just behind it.</summary>
    internal Position End { get; init; }
}

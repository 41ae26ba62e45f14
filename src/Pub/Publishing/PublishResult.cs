namespace Pub;

/// <summary>How a publish ended that did not fail.</summary>
public readonly record struct PublishResult
{
    private readonly MessagePlace? _place;

    private PublishResult(MessagePlace? place) => _place = place;

    /// <summary>
    /// Whether the message was dropped, because its topic belongs to a temporary endpoint that is gone, or does not exist and
    /// <see cref="PublishOptions.OnlyIfExists"/> was set. Nobody will receive it; nothing was stored.
    /// </summary>
    public bool IsDropped => _place is null;

    /// <summary>Where the message is.</summary>
    /// <exception cref="InvalidOperationException">The message was dropped.</exception>
    public MessagePlace Place => _place ?? throw new InvalidOperationException("The message was dropped: its topic is gone.");

    internal static PublishResult Dropped => default;

    internal static PublishResult At(MessagePlace place) => new(place);
}

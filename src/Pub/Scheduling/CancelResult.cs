namespace Pub;

/// <summary>How a cancel ended.</summary>
public enum CancelResult
{
    /// <summary>The message is not delivered, now or later. Also the answer to a cancel that is repeated within ten minutes.</summary>
    Cancelled,

    /// <summary>The message is on its way, or already there.</summary>
    TooLate,

    /// <summary>Nothing is scheduled under this token: it was delivered, or never scheduled, or cancelled long ago.</summary>
    NotFound,
}

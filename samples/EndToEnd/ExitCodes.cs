namespace EndToEnd;

/// <summary>What the program answers to whoever started it.</summary>
internal static class ExitCodes
{
    public const int EveryEventArrived = 0;

    public const int EventsMissing = 1;

    public const int BadSettings = 2;

    /// <summary>The store could not be opened, or failed while the program ran.</summary>
    public const int StoreFailed = 3;

    /// <summary>Ctrl+C, or a request to terminate.</summary>
    public const int Interrupted = 130;
}

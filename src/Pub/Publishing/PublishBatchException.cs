namespace Pub;

/// <summary>
/// Of the messages published in one call some failed, or they failed in different ways. When all failed in one way, that exception is thrown itself.
/// </summary>
public sealed class PublishBatchException : PubException
{
    internal PublishBatchException(IReadOnlyList<PublishResult> results, IReadOnlyList<Exception?> failures)
        : base(Describe(failures), failures.First(failure => failure is not null))
    {
        Results = results;
        Failures = failures;
    }

    /// <summary>For each message, in the order given, its result; of no meaning where <see cref="Failures"/> has an exception.</summary>
    public IReadOnlyList<PublishResult> Results { get; }

    /// <summary>For each message, in the order given, why it failed; null where it did not.</summary>
    public IReadOnlyList<Exception?> Failures { get; }

    /// <summary>Whether each failure may pass by itself.</summary>
    public override bool IsTransient => Failures.All(failure => failure is null or PubException { IsTransient: true } or OperationCanceledException);

    private static string Describe(IReadOnlyList<Exception?> failures) =>
        $"{failures.Count(failure => failure is not null)} of {failures.Count} messages were not confirmed; see Failures. The first: {failures.First(failure => failure is not null)!.Message}";
}

using Pub;

namespace MassTransit.PubTransport;

/// <summary>
/// Exceptions of Pub as MassTransit's start and restart of endpoints understands them: a <see cref="ConnectionException"/> that says whether trying again
/// can help. Anything else ends an endpoint for good (facts, 1.4, 3).
/// </summary>
internal static class PubExceptions
{
    public static ConnectionException Convert(Exception exception, string message) => exception as ConnectionException
        ?? new ConnectionException(message + exception.Message, exception, CanRetry(exception));

    // Wrong names and options, and a second consumer of one subscription in a process, stay wrong.
    private static bool CanRetry(Exception exception) => exception switch
    {
        PubException pub => pub.IsTransient || pub is LeaseLostException or NotFoundException or TopicClosedException,
        ArgumentException or InvalidOperationException or NotSupportedException => false,
        _ => true,
    };
}

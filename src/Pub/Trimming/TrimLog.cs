using Microsoft.Extensions.Logging;

namespace Pub.Trimming;

internal static partial class TrimLog
{
    [LoggerMessage(1401, LogLevel.Warning, "The topic {Topic} could not be trimmed this time.")]
    public static partial void LookFailed(ILogger logger, TopicName topic, Exception exception);

    [LoggerMessage(1402, LogLevel.Warning, "A round of trimming failed; the next one follows.")]
    public static partial void RoundFailed(ILogger logger, Exception exception);
}

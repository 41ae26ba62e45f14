using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Pub.Transport.Tests;

/// <summary>Keeps what was logged at warning or above.</summary>
public sealed class LogList : ILoggerProvider
{
    private readonly ConcurrentQueue<(LogLevel Level, string Text)> _entries = new();

    public IReadOnlyList<string> Warnings => [.. _entries.Select(entry => entry.Text)];

    public IReadOnlyList<string> Errors => [.. _entries.Where(entry => entry.Level >= LogLevel.Error).Select(entry => entry.Text)];

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
    }

    private sealed class Logger(LogList list, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                list._entries.Enqueue((logLevel, $"{category}: {formatter(state, exception)} {exception}"));
            }
        }
    }
}

using System.Globalization;
using Microsoft.Extensions.Logging;
using Spectre.Console;

namespace EndToEnd;

/// <summary>
/// Log lines: above the bars on a terminal, on standard error where the output goes to a file. Control characters in them are replaced.
/// </summary>
internal sealed class ConsoleLogs(IAnsiConsole console) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new Logger(console, categoryName);

    public void Dispose()
    {
    }

    private sealed class Logger(IAnsiConsole console, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var line = string.Create(
                CultureInfo.InvariantCulture,
                $"{DateTime.Now:HH:mm:ss.fff} {Short(logLevel)} {category}: {formatter(state, exception)}{(exception is null ? "" : $" ({exception.GetType().Name}: {exception.Message})")}");
            line = string.Concat(line.Select(letter => char.IsControl(letter) ? ' ' : letter));
            if (console.Profile.Capabilities.Interactive)
            {
                console.WriteLine(line);
            }
            else
            {
                Console.Error.WriteLine(line);
            }
        }

        private static string Short(LogLevel level) => level switch
        {
            LogLevel.Trace or LogLevel.Debug => "debug",
            LogLevel.Information => "info ",
            LogLevel.Warning => "warn ",
            _ => "error",
        };
    }
}

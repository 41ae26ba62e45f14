using Microsoft.Extensions.Logging;

namespace Pub.Simulation.Kernel;

/// <summary>Puts what a process logs into the trace of a verbose run. It is no part of the trace's hash.</summary>
internal sealed class SimLogging(SimTrace trace, string process) : ILoggerFactory, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => trace.IsVerbose;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (trace.IsVerbose)
        {
            trace.Note(process, "log", $"{logLevel}: {formatter(state, exception)}{(exception is null ? "" : $" [{exception.GetType().Name}: {exception.Message}]")}");
        }
    }

    public void Dispose()
    {
    }
}

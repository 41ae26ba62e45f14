using System.Diagnostics;

namespace Pub.Benchmarks;

/// <summary>A second process of this program, whose lines are read one by one.</summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly Process _process;

    private ChildProcess(Process process) => _process = process;

    public static ChildProcess Start(params string[] arguments) => Start([], arguments);

    /// <summary>The same, with settings of the runtime as environment variables.</summary>
    public static ChildProcess Start((string Name, string Value)[] runtime, params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardInput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add(typeof(ChildProcess).Assembly.Location);
        }

        foreach (var (name, value) in runtime)
        {
            start.Environment[name] = value;
        }

        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return new ChildProcess(Process.Start(start)!);
    }

    public TimeSpan CpuTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public async Task<string> ReadAsync() =>
        await _process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The second process ended too early.");

    /// <summary>Lets the child go on that waits for a line.</summary>
    public Task SignalAsync() => _process.StandardInput.WriteLineAsync("go");

    public void Kill() => _process.Kill();

    public Task EndAsync() => _process.WaitForExitAsync();

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }
}

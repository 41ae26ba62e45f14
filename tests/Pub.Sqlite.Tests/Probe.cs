using System.Diagnostics;

namespace Pub.Sqlite.Tests;

/// <summary>tests/Pub.CrashProbe as a process of its own.</summary>
internal sealed class Probe : IDisposable
{
    private readonly Process _process;

    public Probe(params string[] arguments) =>
        _process = Process.Start(
            new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Pub.CrashProbe.dll"), .. arguments]) { RedirectStandardOutput = true })!;

    /// <summary>The next line that the probe printed; null at its end.</summary>
    public async Task<string?> ReadLineAsync() =>
        await _process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(60));

    public async Task<List<string>> ReadToEndAsync()
    {
        var lines = new List<string>();
        while (await ReadLineAsync() is { } line)
        {
            lines.Add(line);
        }

        return lines;
    }

    /// <summary><c>kill -9</c>.</summary>
    public void Kill() => _process.Kill();

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.WaitForExit();
        _process.Dispose();
    }
}

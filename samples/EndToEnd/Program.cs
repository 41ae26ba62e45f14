using System.Runtime.InteropServices;
using System.Text;
using EndToEnd;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Pub;
using Spectre.Console;

// Publishes rounds of events to a topic, consumes them in parallel, and answers whether every one arrived. See README.md beside this file.
Console.OutputEncoding = Encoding.UTF8;
var settings = Settings.Read(Environment.GetEnvironmentVariable, out var faults);
if (settings is null)
{
    Console.Error.WriteLine("The settings cannot be used:" + string.Concat(faults.Select(fault => $"{Environment.NewLine}  {fault}")));
    return ExitCodes.BadSettings;
}

if (settings.Store == StoreKind.Couchbase)
{
    Console.Error.WriteLine("PUB_STORE is 'couchbase': this store is not there yet. Use sqlite or memory.");
    return ExitCodes.BadSettings;
}

using var interrupted = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);
var console = MakeConsole();
await using var services = new ServiceCollection()
    .AddLogging(logging => logging.SetMinimumLevel(settings.LogLevel).AddProvider(new ConsoleLogs(console)))
    .AddStore(settings)
    .BuildServiceProvider();
return await RunAsync(services.GetRequiredService<PubClient>());

async Task<int> RunAsync(PubClient pub)
{
    var run = new EndToEndRun(pub, settings);
    try
    {
        await pub.OpenAsync(interrupted.Token);
        var work = run.RunAsync(interrupted.Token);
        await ProgressDisplay.ShowAsync(console, run.Tally, work);
        await work;
    }
    catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
    {
        Summary.Write(console, run.Tally, settings);
        console.WriteLine("Interrupted.");
        return ExitCodes.Interrupted;
    }
    catch (PubException e)
    {
        if (run.Tally.Confirmed > 0)
        {
            Summary.Write(console, run.Tally, settings);
        }

        Console.Error.WriteLine($"The store failed. {e.Message}");
        return ExitCodes.StoreFailed;
    }

    Summary.Write(console, run.Tally, settings);
    var missing = run.Tally.Events - run.Tally.Received;
    console.WriteLine(missing == 0 ? "Every event arrived." : $"{ProgressDisplay.Count(missing)} events did not arrive.");
    return missing == 0 ? ExitCodes.EveryEventArrived : ExitCodes.EventsMissing;
}

// The first signal stops cleanly; a second one ends the process as usual.
void Interrupt(PosixSignalContext context)
{
    if (!interrupted.IsCancellationRequested)
    {
        context.Cancel = true;
        interrupted.Cancel();
    }
}

// In a file there is nothing but text, whatever the environment says about colours.
static IAnsiConsole MakeConsole()
{
    if (!Console.IsOutputRedirected)
    {
        return AnsiConsole.Console;
    }

    var console = AnsiConsole.Create(new AnsiConsoleSettings
    {
        Ansi = AnsiSupport.No,
        ColorSystem = ColorSystemSupport.NoColors,
        Interactive = InteractionSupport.No,
        Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
    });
    console.Profile.Width = 200;
    return console;
}

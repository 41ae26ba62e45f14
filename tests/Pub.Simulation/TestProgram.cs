using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace Pub.Simulation;

/// <summary>What the generated entry point of other test projects does.</summary>
internal static class TestProgram
{
    public static Task<int> RunAsync(string[] args) => args.Any(argument => argument is "--server" or "--internal-msbuild-node")
        ? TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
        : ConsoleRunner.Run(args);
}

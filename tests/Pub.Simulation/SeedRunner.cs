namespace Pub.Simulation;

internal static class SeedRunner
{
    public static int Run(string[] args) => args.Length;
}

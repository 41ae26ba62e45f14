using Pub.Simulation;

// With arguments of its own the program runs or replays seeds; else it is the test program.
return args.Length > 0 && args[0] is "--seeds" or "--seed" or "--from" or "--rules"
    ? SeedRunner.Run(args)
    : await TestProgram.RunAsync(args);

global using Bootstrap.Rack;

// Boards are emulated, each by one thread: two tests at a time have the machine, each with a rack of its own.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.Collections, MaxThreads = 2)]
[assembly: TestCollectionOrderer(typeof(Bootstrap.Lab.Tests.LongestFirst))]

global using Bootstrap.Rack;

// Boards are emulated, each by one thread, and wait a third of their time: three tests at a time have the machine of two processors, each
// with a rack of its own.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.Collections, MaxThreads = 3)]
[assembly: TestCollectionOrderer(typeof(Bootstrap.Lab.Tests.LongestFirst))]

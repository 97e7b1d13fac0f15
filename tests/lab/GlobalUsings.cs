global using Bootstrap.Rack;

// Boards are emulated: one test at a time has the machine.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

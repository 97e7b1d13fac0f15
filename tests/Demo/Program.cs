using System.Runtime.InteropServices;
using Bootstrap.Demo;
using Bootstrap.Rack;

// demo PROGRAM IMAGE FOLDER KIND COUNT [once]: called by packaging/demo, which has built all of it.
if (args.Length < 5 || !Enum.TryParse(args[3], ignoreCase: true, out BoardKind kind) || !int.TryParse(args[4], out int count)
    || count is < 1 or > 16)
{
    Console.Error.WriteLine("demo: usage: make demo [BOARD=virt|raspi3b|x86] [COUNT=1…16] [ONCE=1]");
    return 2;
}
using var stop = new CancellationTokenSource();
using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
try
{
    return await new DemoRun(args[0], args[1], args[2], kind, count, once: args.Length > 5).RunAsync(stop.Token);
}
catch (RackException reason)
{
    Console.Error.WriteLine($"demo: {reason.Message}");
    return 1;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    Console.WriteLine("demo: switched off");
    return 130;
}

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}

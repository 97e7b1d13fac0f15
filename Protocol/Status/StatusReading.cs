namespace Bootstrap.Protocol.Status;

/// <summary>A process that uses much.</summary>
/// <param name="Id">The kernel's number.</param>
/// <param name="Name">The kernel's name of it, 15 bytes at most: made by users, and may be anything.</param>
/// <param name="Busy">Percent of one core, since the reading before.</param>
/// <param name="Memory">Resident, in bytes.</param>
public sealed record ProcessReading(int Id, string Name, double Busy, long Memory);

/// <summary>All that a node can tell of itself at one moment.</summary>
/// <param name="At">Unix time in milliseconds, by the node's clock.</param>
/// <param name="Values">By key (<see cref="MetricKey"/>); what is not there is unknown.</param>
/// <param name="Facts">What is no number, by one of <see cref="StatusFact"/>.</param>
/// <param name="TopProcesses">Those that used most; empty where nobody asked.</param>
public sealed record StatusReading(
    long At, IReadOnlyDictionary<string, double> Values, IReadOnlyDictionary<string, string> Facts,
    IReadOnlyList<ProcessReading> TopProcesses);

/// <summary>What a node tells in words.</summary>
public static class StatusFact
{
    public const string HostName = "host-name", Kernel = "kernel", BootId = "boot-id", Bootloader = "bootloader", Governor = "governor",
        Card = "card", LoggedIn = "logged-in", LastKernelError = "last-kernel-error";

    /// <summary>What feeds the machine, and whether it does: "rpi-poe (online)".</summary>
    public const string PowerSupply = "power-supply";
}

using Bootstrap.Netboot;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Server.Features.Boot.Doctor;
using Bootstrap.Server.Features.Events;
using Microsoft.Extensions.Logging;

namespace Bootstrap.Server.Features.Boot;

/// <summary>Hears what boot clients do, and passes it on to the boot doctor, the counters and the log.</summary>
internal sealed partial class BootObserver(NoiseCounter noise, BootRecorder recorder, ILogger<BootObserver> logger) : IBootObserver
{
    public void Asked(DhcpSighting sighting)
    {
        recorder.Asked(sighting);
        if (sighting.Answered is not null && sighting.Kind != BootClientKind.None)
        {
            LogAsked(sighting.Mac, sighting.Kind, sighting.Asked, sighting.Answered.Value, sighting.Interface);
        }
    }

    public void Malformed(string protocol) => noise.Count(protocol);

    public void Fetched(TftpSighting sighting)
    {
        recorder.Fetched(sighting);
        // Boards probe for many files that need not exist: a miss is normal.
        if (sighting.Outcome is TftpOutcome.Refused or TftpOutcome.Aborted or TftpOutcome.TimedOut or TftpOutcome.Failed)
        {
            LogTrouble(sighting.Client.Address, sighting.Path, sighting.Outcome, sighting.Detail ?? "");
        }
    }

    [LoggerMessage(LogLevel.Information, "{Mac} ({Kind}) sent DHCP {Asked} on {Interface} and got {Answered}")]
    private partial void LogAsked(Protocol.Ids.MacAddress mac, BootClientKind kind, DhcpMessageType asked, DhcpMessageType answered,
        string @interface);

    [LoggerMessage(LogLevel.Warning, "TFTP of {Path} to {Address} ended early: {Outcome} {Detail}")]
    private partial void LogTrouble(System.Net.IPAddress address, string path, TftpOutcome outcome, string detail);
}

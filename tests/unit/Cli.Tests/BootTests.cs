using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Bootstrap.Netboot;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Boot.Doctor;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Cli.Tests;

public sealed class BootTests
{
    private static readonly MacAddress s_mac = new(0xdca6320136c2);

    [Fact]
    public async Task A_board_is_listed_and_explained_and_a_fault_is_an_exit_code()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        BootRecorder recorder = line.Appliance.Services.GetRequiredService<BootRecorder>();
        recorder.Asked(Discover());
        (int code, string output, string errors) = await line.RunAsync("boot", "list");
        Assert.Equal((0, ""), (code, errors));
        Assert.Contains("Raspberry Pi 4 Model B Rev 1.4", output);

        (code, output, _) = await line.RunAsync("boot", "explain", "01eeffc0");
        Assert.Equal(0, code);
        Assert.StartsWith("dc:a6:32:01:36:c2 Raspberry Pi 4 Model B Rev 1.4, boot of ", output);

        recorder.Fetched(new TftpSighting(new BootClient(IPAddress.Parse("10.0.0.7"), s_mac), "start4.elf", TftpOutcome.Failed, 0,
            "reading start4.elf: broken disk"));
        (code, output, _) = await line.RunAsync("boot", "explain", "dc:a6:32:01:36:c2");
        Assert.Equal(1, code);
        Assert.Contains("fault: start4.elf could not be sent to the board.", output);
        (code, output, _) = await line.RunAsync("boot", "explain", "01eeffc0", "--json");
        Assert.Equal(1, code);
        Assert.Equal("unreadable-file", JsonDocument.Parse(output).RootElement.GetProperty("findings")[0].GetProperty("rule").GetString());

        (code, _, errors) = await line.RunAsync("boot", "explain", "nobody");
        Assert.Equal(1, code);
        Assert.Contains("No board 'nobody' was seen booting", errors);
    }

    [Fact]
    public async Task Watching_prints_one_line_for_each_step()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        BootRecorder recorder = line.Appliance.Services.GetRequiredService<BootRecorder>();
        using Process watch = Process.Start(new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "bootstrap"), ["boot", "watch"])
        {
            RedirectStandardOutput = true,
            Environment = { ["BOOTSTRAP_CONNECTION"] = Path.Combine(line.Folder, "connection.json") },
        })!;
        try
        {
            // Only what happens after the stream is open is told: the board asks until it is seen.
            Task<string?> first = watch.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask();
            while (await Task.WhenAny(first, Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System,
                TestContext.Current.CancellationToken)) != first)
            {
                recorder.Asked(Discover());
            }
            Assert.Matches(@"^\d\d:\d\d:\d\d\.\d dc:a6:32:01:36:c2 DHCP discover, answered offer", await first);
        }
        finally
        {
            watch.Kill();
            await watch.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
    }

    private static DhcpSighting Discover() => new(s_mac, BootClientKind.RaspberryPi,
        new ClientMachineId(MachineIdForm.PiEeprom, 0x01eeffc0, 0xc03114), "eth0", DhcpMessageType.Discover, DhcpMessageType.Offer, null,
            null);
}

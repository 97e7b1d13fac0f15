using System.Net;

namespace Bootstrap.Netboot.Dhcp;

/// <summary>What a boot client is told to load.</summary>
public static class BootAnswer
{
    /// <summary>
    /// The boot file. Firmware loads iPXE by TFTP (HTTP boot: by HTTP); iPXE then loads the script, which names the kernel.
    /// Null for a Pi, whose ROM knows the names of its files and takes none from us.
    /// </summary>
    public static string? File(BootClientKind kind, IPAddress server, int httpPort) => kind switch
    {
        BootClientKind.BiosPxe => "undionly.kpxe",
        BootClientKind.UefiX64 => "snponly.efi",
        BootClientKind.UefiArm64 => "ipxe-arm64.efi",
        BootClientKind.UefiHttpX64 => $"http://{server}:{httpPort}/boot/files/ipxe-amd64.efi",
        BootClientKind.UefiHttpArm64 => $"http://{server}:{httpPort}/boot/files/ipxe-arm64.efi",
        BootClientKind.Ipxe => $"http://{server}:{httpPort}/boot/ipxe",
        _ => null,
    };

    /// <summary>The options that make a reply a boot reply.</summary>
    /// <param name="client">Who asks.</param>
    /// <param name="server">The address of the interface that heard it; the TFTP server.</param>
    /// <param name="httpPort">Where iPXE finds its script.</param>
    /// <param name="proxy">The reply carries no address.</param>
    /// <param name="machineId">The client's option 97, to be returned (RFC 4578 §2.3) if it is of the right length.</param>
    public static IEnumerable<DhcpOption> Options(
        DhcpClient client, IPAddress server, int httpPort, bool proxy, ReadOnlyMemory<byte>? machineId)
    {
        switch (client.Kind)
        {
            case BootClientKind.None or BootClientKind.Unserved:
                yield break;
            case BootClientKind.RaspberryPi:
                yield return DhcpOption.Text(DhcpOptionCode.VendorClass, "PXEClient");
                yield return new DhcpOption(DhcpOptionCode.VendorSpecific, client.Machine.Form == MachineIdForm.Pi3Rom ? PiMenu.Pi3bOption
                    : PiMenu.Option);
                break;
            case BootClientKind.UefiHttpX64 or BootClientKind.UefiHttpArm64:
                yield return DhcpOption.Text(DhcpOptionCode.VendorClass, "HTTPClient");
                break;
            case BootClientKind.BiosPxe when proxy:
                // Discovery control 8: load the file that this reply names, ask nobody else (PXE 2.1 §2.2.3).
                yield return DhcpOption.Text(DhcpOptionCode.VendorClass, "PXEClient");
                yield return new DhcpOption(DhcpOptionCode.VendorSpecific, new byte[] { 6, 1, 8, 255 });
                break;
            case BootClientKind.Ipxe when !proxy:
                // Sub-option 176 (no-pxedhcp): do not wait for a proxy's offer.
                yield return new DhcpOption(DhcpOptionCode.IpxeEncapsulated, new byte[] { 176, 1, 1 });
                break;
            default:
                // Without option 43 a UEFI PXE client asks for the file on port 4011 and does so whatever its make; with discovery control
                // 8 some ignore the file. Where the address comes from us too it is plain DHCP: the file is in the reply, no PXE needed.
                if (proxy)
                {
                    yield return DhcpOption.Text(DhcpOptionCode.VendorClass, "PXEClient");
                }
                break;
        }
        // Some ROMs read a name as C does, up to a NUL, and go on into the next option where there is none; a Pi's takes names as they are.
        string end = client.Kind == BootClientKind.RaspberryPi ? "" : "\0";
        yield return DhcpOption.Text(DhcpOptionCode.TftpServerName, server + end);
        if (File(client.Kind, server, httpPort) is { } file)
        {
            yield return DhcpOption.Text(DhcpOptionCode.BootFileName, file + end);
        }
        if (machineId is { Length: ClientMachineId.Size } id)
        {
            yield return new DhcpOption(DhcpOptionCode.ClientMachineId, id);
        }
    }
}

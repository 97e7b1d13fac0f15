using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Bootstrap.Rack.Rom;

/// <summary>What a ROM has learnt by DHCP.</summary>
internal sealed record RomLease(IPAddress Address, int PrefixLength, IPAddress Server, IPAddress TftpServer);

/// <summary>
/// DHCP as a Raspberry Pi's ROM does it: DISCOVER without broadcast flag; the address from one OFFER, the boot information from the same
/// or another
/// whose option 43 contains "Raspberry Pi Boot"; then REQUEST to the one that gave the address. Five tries, four seconds apart (a Pi 3:
/// five).
/// The mask ROM of a Pi 3 asks for neither mask nor router, sends no REQUEST, and is locked until its power is cut by boot information
/// that comes
/// within a second (raspberrypi/firmware#934); that of a 3B, whose id is all 0x44, wants three spaces more.
/// </summary>
internal sealed class RomDhcp(string interfaceName, byte[] mac, byte[] machineId, bool isMaskRom, EventLog events, TimeProvider clock)
{
    private const int Tries = 5;
    private const int SolSocket = 1;
    private const int SoBindToDevice = 25;
    private readonly TimeSpan _interval = TimeSpan.FromSeconds(isMaskRom ? 5 : 4);
    private static readonly TimeSpan s_tooSoon = TimeSpan.FromMilliseconds(950);

    // Every Pi 3 was seen with this one (raspberrypi/firmware#1265): servers must not tell boards apart by it.
    private const uint TransactionId = 0x26f30339;

    /// <summary>Null if no pair of offers came.</summary>
    public async Task<RomLease?> RunAsync()
    {
        using var packets = new PacketSocket(interfaceName, 68);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { EnableBroadcast = true };
        socket.SetRawSocketOption(SolSocket, SoBindToDevice, Encoding.ASCII.GetBytes(interfaceName + '\0'));
        socket.Bind(new IPEndPoint(IPAddress.Any, 68));
        var everyone = new IPEndPoint(IPAddress.Broadcast, 67);
        long asked = clock.GetTimestamp();
        for (int attempt = 1; attempt <= Tries; attempt++)
        {
            events.Write("dhcp-discover", ("attempt", attempt));
            await socket.SendToAsync(Message(1, []), everyone);
            (RomMessage Address, RomMessage Boot)? offers = await CollectAsync(packets);
            if (offers is not var (address, boot))
            {
                continue;
            }
            if (isMaskRom && clock.GetElapsedTime(asked) < s_tooSoon)
            {
                events.Write("rom-locked", ("ms", (long)clock.GetElapsedTime(asked).TotalMilliseconds));
                return null;
            }
            if (!isMaskRom)
            {
                await socket.SendToAsync(Message(3, [50, 4, .. address.Yours.GetAddressBytes(), 54, 4,
                    .. address.Server.GetAddressBytes()]), everyone);
                if (await WaitAsync(packets, m => m.Type is 5 or 6 && m.Server.Equals(address.Server)) is not { Type: 5 })
                {
                    events.Write("dhcp-refused", ("server", address.Server));
                    continue;
                }
            }
            events.Write("dhcp-bound", ("address", address.Yours), ("server", address.Server), ("tftp_server", boot.TftpServer));
            return new RomLease(address.Yours, address.PrefixLength, address.Server, boot.TftpServer);
        }
        return null;
    }

    private async Task<(RomMessage, RomMessage)?> CollectAsync(PacketSocket packets)
    {
        RomMessage? address = null, boot = null;
        await WaitAsync(packets, offer =>
        {
            if (offer.Type == 2)
            {
                address ??= offer.Yours.Equals(IPAddress.Any) ? null : offer;
                boot ??= isMaskRom && machineId[0] == 0x44 ? offer.IsForPi3b ? offer : null : offer.IsForPi ? offer : null;
                events.Write("dhcp-offer", ("server", offer.Server), ("address", offer.Yours.Equals(IPAddress.Any) ? null : offer.Yours),
                    ("boot", offer.IsForPi ? offer.TftpServer : null));
            }
            return address is not null && boot is not null;
        });
        return address is not null && boot is not null ? (address, boot) : null;
    }

    /// <summary>The first reply for this board that satisfies a condition, or null after the interval.</summary>
    private async Task<RomMessage?> WaitAsync(PacketSocket packets, Func<RomMessage, bool> condition)
    {
        using var timeout = new CancellationTokenSource(_interval, clock);
        try
        {
            while (true)
            {
                Datagram packet = await packets.ReceiveAsync(timeout.Token);
                if (RomMessage.TryParse(packet.Payload.Span, TransactionId, mac) is { } message && condition(message))
                {
                    return message;
                }
            }
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private byte[] Message(byte type, byte[] more)
    {
        byte[] head = new byte[240];
        (head[0], head[1], head[2]) = (1, 1, 6);
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(4), TransactionId);
        mac.CopyTo(head, 28);
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(236), 0x63825363);
        return
        [
            .. head,
            53, 1, type,
            .. isMaskRom ? (byte[])[55, 12] : [55, 14, 1, 3], // wishes: mask and router, and PXE's
            43, 60, 66, 67, 128, 129, 130, 131, 132, 133, 134, 135,
            93, 2, 0, 0, // architecture: x86 BIOS, says every Pi
            94, 3, 1, 2, 1, // UNDI 2.1
            97, 17, 0, .. machineId,
            60, 32, .. "PXEClient:Arch:00000:UNDI:002001"u8,
            .. more,
            255,
        ];
    }
}

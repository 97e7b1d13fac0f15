using Bootstrap.Protocol.Ids;

namespace Bootstrap.Protocol;

/// <summary>What a board is and what is plugged into it, as the board itself reports it.</summary>
/// <param name="Id">The board's name for life.</param>
/// <param name="Architecture"><c>arm64</c> or <c>amd64</c> (Debian's names).</param>
/// <param name="Model">For people: "Raspberry Pi 4 Model B Rev 1.4", "QEMU Standard PC (Q35)".</param>
/// <param name="Serial">Serial number as the maker writes it; empty where there is none.</param>
/// <param name="Revision">The Pi's revision code in hex ("c03114"); empty elsewhere.</param>
/// <param name="Firmware">Firmware or EEPROM version; empty where it cannot be read.</param>
/// <param name="MemoryBytes">RAM that the kernel manages.</param>
/// <param name="Processors">Processors that are on line.</param>
/// <param name="Interfaces">Physical network interfaces.</param>
/// <param name="Disks">Whole disks, no partitions; RAM, loop and boot-ROM devices are left out.</param>
/// <param name="Kernel">Kernel release ("6.1.0-35-arm64").</param>
/// <param name="System">Name of the running system ("Debian GNU/Linux 12 (bookworm)", "NetInst").</param>
/// <param name="Slot">
/// Which of two places on its disk the running system has, <c>a</c> (the one with the lower partition numbers) or <c>b</c>, where the other
/// one can be tried for one start; null elsewhere.
/// </param>
public sealed record Inventory(
    NodeId Id,
    string Architecture,
    string Model,
    string Serial,
    string Revision,
    string Firmware,
    long MemoryBytes,
    int Processors,
    IReadOnlyList<NetworkInterfaceInfo> Interfaces,
    IReadOnlyList<DiskInfo> Disks,
    string Kernel,
    string System,
    string? Slot = null);

/// <summary>One physical network interface.</summary>
/// <param name="Addresses">Addresses without prefix length, IPv4 first.</param>
/// <param name="Driver">Kernel driver; empty where unknown.</param>
/// <param name="SpeedMbit">Of the link in Mbit/s; 0 without a link, and where the driver does not say (Wi-Fi).</param>
/// <param name="Switch">What is at the other end of the cable; null where nothing was heard.</param>
public sealed record NetworkInterfaceInfo(
    string Name, MacAddress Mac, bool LinkUp, IReadOnlyList<string> Addresses, string Driver, int SpeedMbit = 0, SwitchPort? Switch = null);

/// <summary>A switch's port as the switch itself announces it by LLDP (IEEE 802.1AB). Words of the network: anybody on the wire may say
/// them.</summary>
/// <param name="Chassis">The switch's id: mostly its MAC address.</param>
/// <param name="Port">The port's id: "Gi1/0/3", a number, or a MAC address.</param>
/// <param name="PortDescription">The port for people; empty where it is not announced.</param>
/// <param name="SystemName">The switch for people; empty where it is not announced.</param>
/// <param name="ManagementAddress">Where the switch is managed; empty where it is not announced.</param>
public sealed record SwitchPort(string Chassis, string Port, string PortDescription, string SystemName, string ManagementAddress);

/// <summary>One whole disk.</summary>
/// <param name="Name">Kernel name without /dev ("mmcblk0", "vda").</param>
/// <param name="SizeBytes">Capacity.</param>
/// <param name="BlockSize">Logical block size in bytes.</param>
/// <param name="Kind"><c>sd</c> (SD card or eMMC), <c>nvme</c>, <c>usb</c>, <c>virtio</c>, <c>ata</c> or <c>other</c>.</param>
/// <param name="Model">Product name; empty where there is none.</param>
/// <param name="Serial">What tells this disk from its twin: card id (CID), serial number or WWN; empty where there is none.</param>
/// <param name="Removable">The kernel says that the medium can be taken out.</param>
/// <param name="ReadOnly">The kernel says that it cannot be written (a card's lock switch, say).</param>
/// <param name="Card">What an SD card or eMMC says of itself; null for other disks.</param>
public sealed record DiskInfo(
    string Name, long SizeBytes, int BlockSize, string Kind, string Model, string Serial, bool Removable, bool ReadOnly,
    CardInfo? Card = null);

/// <summary>The identification register (CID) of an SD card or eMMC in words, as the kernel has read it.</summary>
/// <param name="Type"><c>SD</c>, or <c>MMC</c> for eMMC.</param>
/// <param name="Manufacturer">Its name, else its number ("0x9f").</param>
/// <param name="Product">Five or six letters ("SS08G").</param>
/// <param name="Date">Month of manufacture, "09/2015"; empty where it is not known.</param>
/// <param name="Serial">Product serial number ("0xdaaee8ad").</param>
/// <param name="LifeUsedPercent">eMMC 5: at most so much of its life time was used, in steps of 10; over 100 where it is exceeded; null
/// elsewhere.</param>
/// <param name="ReserveUsed">eMMC 5: state of the spare blocks, <c>normal</c>, <c>warning</c> (80 % used) or <c>urgent</c>; empty
/// elsewhere.</param>
public sealed record CardInfo(
    string Type, string Manufacturer, string Product, string Date, string Serial, int? LifeUsedPercent = null, string ReserveUsed = "");

/// <summary>How a board feels at this moment.</summary>
/// <param name="UptimeSeconds">Since the kernel started.</param>
/// <param name="Load">Load average of one minute.</param>
/// <param name="MemoryAvailableBytes">What programs could still take.</param>
/// <param name="TemperatureCelsius">Of the processor; null where there is no sensor.</param>
/// <param name="Throttled">The Pi's throttling flags (bit 0 under-voltage now, 16 under-voltage since boot …); null elsewhere.</param>
public sealed record Health(
    double UptimeSeconds, double Load, long MemoryAvailableBytes, double? TemperatureCelsius, uint? Throttled);

using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Board;

/// <summary>Reads what this board is and how it feels from /proc, /sys and the device tree.</summary>
/// <param name="root">"/" but in tests.</param>
/// <param name="addresses">Gives an interface's addresses; null: asks the running system.</param>
/// <param name="switchOf">Gives what an interface is plugged into, as far as it was heard; null: nothing is listened to.</param>
public sealed class BoardReader(
    string root = "/", Func<string, IReadOnlyList<string>>? addresses = null, Func<string, SwitchPort?>? switchOf = null)
{
    private readonly SysFile _sys = new(root);
    private readonly Func<string, IReadOnlyList<string>> _addresses = addresses ?? NetworkInterfaceReader.LiveAddresses;
    private readonly Func<string, SwitchPort?> _switchOf = switchOf ?? (_ => null);

    /// <summary>What the board is.</summary>
    /// <param name="system">Name of the running system; null: as /etc/os-release says.</param>
    /// <returns>Null where the board has neither a serial number, a product UUID nor a network interface to be named by.</returns>
    public Inventory? ReadInventory(string? system = null)
    {
        IReadOnlyList<NetworkInterfaceInfo> interfaces = NetworkInterfaceReader.Read(_sys, _addresses, _switchOf);
        if (ReadId(interfaces) is not { } id)
        {
            return null;
        }
        return new Inventory(
            id,
            Architecture,
            Model: ReadModel(),
            Serial: _sys.Text("proc/device-tree/serial-number") ?? _sys.Text("sys/class/dmi/id/product_serial") ?? "",
            Revision: Revision(),
            Firmware: ReadFirmware(),
            MemoryBytes: MemoryField("MemTotal") ?? 0,
            Processors: Environment.ProcessorCount,
            interfaces,
            DiskReader.Read(_sys),
            Kernel: _sys.Text("proc/sys/kernel/osrelease") ?? "",
            System: system ?? OsRelease() ?? "Linux");
    }

    /// <summary>How the board feels.</summary>
    public Health ReadHealth() => new(
        UptimeSeconds: FirstNumber("proc/uptime"),
        Load: FirstNumber("proc/loadavg"),
        MemoryAvailableBytes: MemoryField("MemAvailable") ?? 0,
        // Thousandths of a degree (Documentation/ABI/testing/sysfs-class-thermal).
        TemperatureCelsius: _sys.Number("sys/class/thermal/thermal_zone0/temp") / 1000.0,
        Throttled: uint.TryParse(_sys.Text("sys/devices/platform/soc/soc:firmware/get_throttled"), NumberStyles.HexNumber,
            CultureInfo.InvariantCulture, out uint flags) ? flags : null);

    /// <summary>The kernel's id of this boot: another one after every start.</summary>
    public string ReadBootId() => _sys.Text("proc/sys/kernel/random/boot_id") ?? "";

    /// <summary>The arguments that the running kernel was started with.</summary>
    public KernelArguments ReadKernelArguments() => KernelArguments.Parse(_sys.Text("proc/cmdline") ?? "");

    /// <summary>Name of the model, for people.</summary>
    public string ReadModel() => _sys.Text("proc/device-tree/model") ?? DmiModel() ?? "unknown board";

    /// <summary>What a Pi's revision code says; null on other machines, and on a Pi of before 2014.</summary>
    public PiRevision? ReadRevision() =>
        uint.TryParse(Revision(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out uint code) ? PiRevision.Read(code) : null;

    /// <summary>When the bootloader that started a Pi was built, in Unix seconds; null where the board does not tell.</summary>
    public long? ReadBootloaderTime() =>
        _sys.Bytes("proc/device-tree/chosen/bootloader/build-timestamp") is { Length: 4 } cell ? BinaryPrimitives.ReadUInt32BigEndian(cell)
        : null;

    /// <summary>A bootloader's day of building, as people know it by.</summary>
    public static string BootloaderDay(long time) =>
        DateTimeOffset.FromUnixTimeSeconds(time).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>Disks alone, for those who wait until one turns up.</summary>
    public IReadOnlyList<DiskInfo> ReadDisks() => DiskReader.Read(_sys);

    /// <summary>Physical interfaces alone, for those who wait for a cable.</summary>
    public IReadOnlyList<NetworkInterfaceInfo> ReadInterfaces() => NetworkInterfaceReader.Read(_sys, _addresses, _switchOf);

    /// <summary>Debian's name of the architecture that this program was built for.</summary>
    public static string Architecture => RuntimeInformation.ProcessArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        System.Runtime.InteropServices.Architecture.Arm => "armhf",
        var other => other.ToString().ToLowerInvariant(),
    };

    /// <summary>The rule of <see cref="NodeId"/>: serial number of a Pi, else product UUID, else first MAC address.</summary>
    private NodeId? ReadId(IReadOnlyList<NetworkInterfaceInfo> interfaces)
    {
        // A virtual board's tables hold zeros where nobody set a number, some firmwares hold all ones: neither tells boards apart.
        string? serial = _sys.Text("proc/device-tree/serial-number");
        if (serial is { Length: 16 } && serial.All(char.IsAsciiHexDigit) && IsDistinct(serial) && NodeId.TryParse(serial, out NodeId id))
        {
            return id;
        }
        string? uuid = _sys.Text("sys/class/dmi/id/product_uuid");
        if (Guid.TryParse(uuid, out _) && IsDistinct(uuid) && NodeId.TryParse(uuid, out id))
        {
            return id;
        }
        return interfaces.Count > 0 ? NodeId.FromMac(interfaces[0].Mac) : null;
    }

    private static bool IsDistinct(string text) => text.Where(char.IsAsciiHexDigit).Select(char.ToLowerInvariant).Distinct().Count() > 1;

    /// <summary>The Pi's revision code: one big-endian cell in the device tree.</summary>
    private string Revision() => _sys.Bytes("proc/device-tree/system/linux,revision") is { Length: 4 } cell
        ? BinaryPrimitives.ReadUInt32BigEndian(cell).ToString("x", CultureInfo.InvariantCulture)
        : "";

    /// <summary>
    /// A Pi's EEPROM is known by the day on which it was made, as `vcgencmd bootloader_version` tells it first, and by the revision of its
    /// source (chosen/bootloader of the device tree; Raspberry Pi documentation, "Device tree properties"). PCs: the BIOS version.
    /// </summary>
    internal string ReadFirmware()
    {
        string version = _sys.Text("proc/device-tree/chosen/bootloader/version") ?? "";
        if (ReadBootloaderTime() is { } time)
        {
            string day = BootloaderDay(time);
            return version.Length > 0 ? $"{day} ({version[..Math.Min(8, version.Length)]})" : day;
        }
        return version.Length > 0 ? version : _sys.Text("sys/class/dmi/id/bios_version") ?? "";
    }

    private string? DmiModel()
    {
        string? vendor = _sys.Text("sys/class/dmi/id/sys_vendor");
        string? product = _sys.Text("sys/class/dmi/id/product_name");
        return product is null ? vendor : vendor is null ? product : $"{vendor} {product}";
    }

    private string? OsRelease()
    {
        const string key = "PRETTY_NAME=";
        return _sys.Text("etc/os-release")?.Split('\n')
            .FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal))?[key.Length..].Trim('"');
    }

    /// <summary>A line of /proc/meminfo, in bytes.</summary>
    private long? MemoryField(string name)
    {
        string? line = _sys.Text("proc/meminfo")?.Split('\n').FirstOrDefault(l => l.StartsWith(name + ':', StringComparison.Ordinal));
        string[] words = line?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        return words.Length >= 2 && long.TryParse(words[1], out long kibibytes) ? kibibytes * 1024 : null;
    }

    private double FirstNumber(string path) =>
        double.TryParse(_sys.Text(path)?.Split(' ')[0], CultureInfo.InvariantCulture, out double number) ? number : 0;
}

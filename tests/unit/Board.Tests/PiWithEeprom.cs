using System.Buffers.Binary;
using System.Globalization;
using Bootstrap.Agent.Commands;

namespace Bootstrap.Support;

/// <summary>
/// A made-up Raspberry Pi 4 with an EEPROM of 2020 and a package of 2025. Its rpi-eeprom-update is a script that does what the real one
/// documents (raspberrypi/rpi-eeprom): options, exit codes, what it prints, which files it leaves. Files in its root folder say how it is
/// unlike that.
/// </summary>
/// <param name="folder">An empty one.</param>
public sealed class PiWithEeprom(string folder)
{
    /// <summary>Real ones: pieeprom-2020-09-03 and pieeprom-2025-05-08.</summary>
    public const long Old = 1599135103, New = 1746713597;

    private const string BuildTime = "proc/device-tree/chosen/bootloader/build-timestamp";

    private const string Updater = """
        #!/bin/sh
        set -e
        root=$(cd "$(dirname "$0")/../root" && pwd)
        boot=/boot/firmware
        [ ! -e "$root/etc/default/rpi-eeprom-update" ] || . "$root/etc/default/rpi-eeprom-update"
        echo "$*" | sed "s:$root::" >>"$root/calls"
        current=$(printf '%d' "0x$(od -v -An -t x1 "$root/proc/device-tree/chosen/bootloader/build-timestamp" | tr -d ' \n')")
        image=$(find "$root/lib/firmware" -name 'pieeprom-*.bin' | sort -r | head -n1)
        latest=0
        [ -z "$image" ] || latest=$(sed -n 's/^BUILD_TIMESTAMP=//p' "$image")
        clean() { rm -f "$root$boot/recovery.bin" "$root$boot"/pieeprom.*; }
        die() { echo "$1" >&2; exit 2; }
        versions() {
          echo "   CURRENT: $(date -u "-d@$current") ($current)"
          echo "    LATEST: $(date -u "-d@$latest") ($latest)"
        }
        auto=0
        status=/dev/null
        while getopts abjm:r option; do
          case $option in
            a) auto=1 ;;
            b) echo "WARNING: BOOTFS: \"$boot\" contains no .elf files. Please check boot directory"; echo "$boot"; exit 0 ;;
            m) status=$OPTARG ;;
            r) echo 'Removing temporary files from previous EEPROM update'
               [ ! -e "$root/undo-fails" ] || die "rm: cannot remove '$boot/pieeprom.upd': Input/output error"
               [ -e "$root/undo-does-nothing" ] || clean
               exit 0 ;;
          esac
        done
        if [ -e "$root/is-cm4" ]; then
          echo 'rpi-eeprom-update is not enabled by default on CM4. Run with -h for more information.'
          exit 0
        fi
        [ ! -e "$root/lacks-lspci" ] || die 'lspci not found. Try installing the pciutils package.'
        if [ $auto = 1 ]; then
          if [ -e "$root/is-frozen" ]; then
            echo 'FREEZE_VERSION=1'
            echo 'EEPROM version is frozen. Skipping automatic update'
            exit 3
          fi
          clean
          echo '*** INSTALLING EEPROM UPDATES ***'
          versions
          while [ -e "$root/is-slow" ]; do sleep 0.05; done
          [ ! -e "$root/card-fails" ] || die "Failed to copy /tmp/tmp.1 to $boot"
          if [ -e "$root/has-flashrom" ] && [ "${RPI_EEPROM_USE_FLASHROM:-1}" = 1 ] && [ "${RPI_EEPROM_IMMEDIATE_UPDATE:-1}" = 1 ]; then
            cp "$image" "$root/eeprom"
            echo 'UPDATE SUCCESSFUL'
          else
            cp "$image" "$root$boot/pieeprom.upd"
            echo recovery >"$root$boot/recovery.bin"
            echo 'EEPROM updates pending. Please reboot to apply the update.'
          fi
          [ ! -e "$root/after-staging" ] || . "$root/after-staging"
          exit 0
        fi
        end=EXIT_SUCCESS
        [ "$latest" -le "$current" ] && [ ! -e "$root/vl805-is-old" ] || end=EXIT_UPDATE_REQUIRED
        versions
        printf '{
          "EXITCODE": "%s",
          "BOOTLOADER_AUTO_UPDATE_MIN_VERSION": 1599135103,
          "BOOTLOADER_CURRENT": %s,
          "BOOTLOADER_LATEST": %s,
          "VL805_CURRENT": "",
          "VL805_LATEST": "",
          "VL805_EEPROM": false
        }\n' $end "$current" "$latest" >"$status"
        [ $end = EXIT_SUCCESS ] || exit 1
        """;

    private const string VideoCore = """
        #!/bin/sh
        [ "$1" = get_throttled ] && echo "throttled=$(cat "$(dirname "$0")/../root/throttled")"
        """;

    public string Root { get; } = Path.Combine(folder, "root");

    public string Bin { get; } = Path.Combine(folder, "bin");

    public NodeSystem System => new(Root, Bin);

    /// <summary>What rpi-eeprom-update was called with.</summary>
    public string[] Calls => File.Exists(At("calls")) ? File.ReadAllLines(At("calls")) : [];

    /// <summary>An update lies on the boot partition.</summary>
    public bool IsStaged => File.Exists(At("boot/firmware/pieeprom.upd")) && File.Exists(At("boot/firmware/recovery.bin"));

    /// <summary>Makes it.</summary>
    public PiWithEeprom Make()
    {
        Directory.CreateDirectory(At("boot/firmware"));
        Directory.CreateDirectory(At("lib/firmware"));
        Flash(Old);
        Package(New);
        WriteBytes("proc/device-tree/system/linux,revision", [0x00, 0xc0, 0x31, 0x14]);
        Mount("36 24 179:1 / /boot/firmware rw,relatime shared:1 - vfat /dev/mmcblk0p1 rw,fmask=0022,errors=remount-ro");
        Write("throttled", "0x0").Write("sys/class/thermal/thermal_zone0/temp", "48300\n");
        return Program("rpi-eeprom-update", Updater).Program("vcgencmd", VideoCore);
    }

    /// <summary>The images of its package.</summary>
    public PiWithEeprom Package(long built)
    {
        foreach (string image in Directory.GetFiles(At("lib/firmware")))
        {
            File.Delete(image);
        }
        return built == 0 ? this
            : Write($"lib/firmware/pieeprom-{DateTimeOffset.FromUnixTimeSeconds(built):yyyy-MM-dd}.bin", $"BUILD_TIMESTAMP={built}\n");
    }

    public PiWithEeprom Mount(string mountInfo) =>
        Write("proc/self/mountinfo", $"24 1 179:2 / / rw,noatime - ext4 /dev/root rw\n{mountInfo}\n");

    public PiWithEeprom Write(string path, string text) => WriteBytes(path, global::System.Text.Encoding.UTF8.GetBytes(text));

    public PiWithEeprom Program(string name, string text)
    {
        Directory.CreateDirectory(Bin);
        string path = Path.Combine(Bin, name);
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return this;
    }

    /// <summary>Does what ROM and recovery.bin do at a start: writes the EEPROM, and never again by the same files.</summary>
    public void Start(bool isWriteProtected = false)
    {
        if (File.Exists(At("eeprom")))
        {
            Flash(BuiltOf("eeprom"));
        }
        else if (IsStaged && !isWriteProtected)
        {
            Flash(BuiltOf("boot/firmware/pieeprom.upd"));
            File.Move(At("boot/firmware/recovery.bin"), At("boot/firmware/recovery.000"));
        }
    }

    public string At(string path) => Path.Combine(Root, path);

    private long BuiltOf(string image) => long.Parse(File.ReadAllText(At(image)).Split('=')[1], CultureInfo.InvariantCulture);

    private void Flash(long built)
    {
        byte[] cell = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(cell, (uint)built);
        WriteBytes(BuildTime, cell);
    }

    private PiWithEeprom WriteBytes(string path, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
        File.WriteAllBytes(At(path), content);
        return this;
    }
}

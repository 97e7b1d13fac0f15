using Bootstrap.Agent;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;

namespace Bootstrap.Board.Tests;

/// <summary>Updates of a Pi's EEPROM as its Slave does them: what it looks at, what it refuses, what it takes back, what it
/// proves.</summary>
public sealed class FirmwareTests : FirmwareTest
{
    [Fact]
    public async Task Newer_firmware_is_staged_the_machine_restarts_and_what_runs_then_is_the_proof()
    {
        Ending? end = await OrderAsync();
        Assert.Equal("reboot", end!.Goodbye);
        end.Do();
        Assert.Equal(StagedStart.Restart, _power.Restarted);
        Assert.Equal([Look, "-b", "-a"], _pi.Calls);
        Assert.Equal("restarting", Messages().OfType<TaskProgress>().Last().Phase);
        Assert.False(Runner("boot-1").AnswerFromMemory(_task));

        _pi.Start();
        Assert.True(Runner("boot-2").AnswerFromMemory(_task));
        Assert.Equal(new TaskEnded(_task, true, false, "", DiskState.Untouched, Note: "the board runs the boot firmware of 2025-05-08"),
            Outcome);
    }

    [Fact]
    public async Task A_board_that_still_runs_the_old_firmware_after_the_restart_has_failed()
    {
        Assert.NotNull(await OrderAsync());
        _pi.Start(isWriteProtected: true);
        Assert.True(Runner("boot-2").AnswerFromMemory(_task));
        Assert.Equal((false, true), (Outcome.Succeeded, Outcome.Final));
        Assert.StartsWith("the board still runs the boot firmware of 2020-09-03 (1599135103), and not that of 2025-05-08 (1746713597), " +
            "which was staged: its EEPROM may be write-protected",
            Outcome.Cause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_board_that_does_not_tell_what_it_runs_has_proven_nothing()
    {
        Assert.NotNull(await OrderAsync());
        File.Delete(_pi.At("proc/device-tree/chosen/bootloader/build-timestamp"));
        Assert.True(Runner("boot-2").AnswerFromMemory(_task));
        Assert.False(Outcome.Succeeded);
        Assert.Contains("vcgencmd bootloader_version", Outcome.Cause);
    }

    [Fact]
    public async Task Firmware_that_is_the_newest_of_the_node_is_left_alone()
    {
        _pi.Package(PiWithEeprom.Old);
        Assert.Null(await OrderAsync());
        Assert.Equal((true, "the boot firmware is the newest that the node has: 2020-09-03"), (Outcome.Succeeded, Outcome.Note));
        _pi.Write("vl805-is-old", "");
        Assert.Null(await OrderAsync());
        Assert.Equal("the boot firmware is the newest that the node has: 2020-09-03; its USB controller's is not, which " +
            "`rpi-eeprom-update -a` writes", Outcome.Note);
        Assert.Equal([Look, Look], _pi.Calls);
    }

    [Fact]
    public async Task An_order_in_the_middle_of_which_the_power_went_is_begun_again()
    {
        new TaskJournal(Tasks).Put(new TaskRecord(_task, false, "boot-1", null, Firmware: 0));
        Assert.False(Runner("boot-2").AnswerFromMemory(_task));
        Assert.NotNull(await OrderAsync(bootId: "boot-2"));
        Assert.True(_pi.IsStaged);
    }

    [Theory]
    [InlineData("0x50005", "the supply's voltage is too low now (throttled=0x50005)")]
    [InlineData("0x1", "the supply's voltage is too low now (throttled=0x1)")]
    [InlineData("0x50000", "has been too low since the board was started (throttled=0x50000)")]
    [InlineData("0x2", "slowed down now, by heat or by its supply (throttled=0x2)")]
    [InlineData("0x4", "(throttled=0x4)")]
    [InlineData("0xe0008", "(throttled=0xe0008)")]
    public async Task A_board_that_says_that_its_power_is_bad_is_not_touched(string flags, string cause)
    {
        _pi.Write("throttled", flags);
        await RefusedAsync(cause);
        // What a person says does not count against what was measured.
        await RefusedAsync(cause, isChecked: true);
    }

    [Theory]
    [InlineData("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1", "in0_lcrit_alarm of rpi_volt is 1")]
    [InlineData("sys/devices/platform/soc/soc:firmware/get_throttled", "50005", "throttled=0x50005")]
    [InlineData("sys/class/thermal/thermal_zone0/temp", "80500", "the processor has 80.5 °C, and 80 are the most")]
    [InlineData("sys/class/power_supply/BAT0/status", "Discharging", "runs on its battery (BAT0: Discharging at 81 %)")]
    [InlineData("sys/class/power_supply/AC/online", "0", "no mains supply is connected (AC: online 0; BAT0: Not charging at 81 %)")]
    public async Task What_the_kernel_measures_counts_as_well(string file, string value, string cause)
    {
        _pi.Write("sys/class/hwmon/hwmon0/name", "cpu_thermal\n").Write("sys/class/hwmon/hwmon1/name", "rpi_volt\n")
            .Write("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "0\n");
        Supply("BAT0", "Battery", ("status", "Not charging"), ("capacity", "81"), ("present", "1"));
        Supply("AC", "Mains", ("online", "1"));
        _pi.Write(file, value + "\n");
        await RefusedAsync(cause);
    }

    [Fact]
    public async Task What_feeds_something_else_or_nothing_does_not_count()
    {
        Supply("mouse", "Battery", ("status", "Discharging"), ("scope", "Device"));
        Supply("BAT1", "Battery", ("status", "Discharging"), ("present", "0"));
        // The hat for power over Ethernet of a Pi that is fed by its USB-C socket.
        Supply("rpi-poe", "Mains", ("online", "0"));
        _pi.Write("throttled", "0xc0000");
        Assert.NotNull(await OrderAsync());
        Assert.Contains(Lines(), line =>
            line.StartsWith("power: throttled=0xc0000, rpi_volt alarm unknown, 48.3 °C, rpi-poe offline", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("rm")]
    [InlineData("vchi")]
    public async Task A_supply_that_cannot_be_checked_is_refused_unless_a_person_answers_for_it(string how)
    {
        File.Delete(Path.Combine(_pi.Bin, "vcgencmd"));
        if (how == "vchi")
        {
            _pi.Program("vcgencmd", "#!/bin/sh\necho 'VCHI initialization failed' >&2; exit 255\n");
        }
        await RefusedAsync("the board's supply cannot be checked");
        Assert.NotNull(await OrderAsync(isChecked: true));
        Assert.True(_pi.IsStaged);
    }

    [Fact]
    public async Task The_kernels_watch_alone_is_enough()
    {
        File.Delete(Path.Combine(_pi.Bin, "vcgencmd"));
        _pi.Write("sys/class/hwmon/hwmon0/name", "rpi_volt\n").Write("sys/class/hwmon/hwmon0/in0_lcrit_alarm", "0\n");
        Assert.NotNull(await OrderAsync());
    }

    [Fact]
    public async Task Power_that_goes_bad_after_staging_takes_it_back()
    {
        _pi.Write("after-staging", "echo 0x50005 >\"$root/throttled\"");
        Assert.Null(await OrderAsync());
        Assert.Contains("(throttled=0x50005)", Outcome.Cause);
        Assert.EndsWith("(what was staged is taken back)", Outcome.Cause, StringComparison.Ordinal);
        Assert.Equal([Look, "-b", "-a", "-r"], _pi.Calls);
        Assert.False(_pi.IsStaged);
    }

    [Theory]
    [InlineData("undo-fails")]
    [InlineData("undo-does-nothing")]
    public async Task What_could_not_be_taken_back_is_said_with_what_to_do_before_a_restart(string how)
    {
        _pi.Write(how, "").Write("after-staging", "echo 0x50005 >\"$root/throttled\"");
        Assert.Null(await OrderAsync());
        Assert.EndsWith("(what was staged could not be taken back: run `rpi-eeprom-update -r` on the node before any restart)",
            Outcome.Cause, StringComparison.Ordinal);
        Assert.True(_pi.IsStaged);
    }

    [Fact]
    public async Task A_board_that_writes_at_once_is_proven_by_the_restart_just_the_same()
    {
        _pi.Write("has-flashrom", "").Write("after-staging", "echo 0x50005 >\"$root/throttled\"");
        Assert.Null(await OrderAsync(mayWriteDirectly: true));
        Assert.EndsWith("(the new firmware is written already, and runs after the next restart)", Outcome.Cause, StringComparison.Ordinal);
        _pi.Write("throttled", "0x0").Write("after-staging", "");
        Assert.NotNull(await OrderAsync(mayWriteDirectly: true));
        _pi.Start();
        Assert.True(Runner("boot-2").AnswerFromMemory(_task));
        Assert.True(Outcome.Succeeded);
    }

    [Fact]
    public async Task A_board_that_could_write_at_once_stages_unless_it_is_allowed()
    {
        _pi.Write("has-flashrom", "");
        Assert.NotNull(await OrderAsync());
        Assert.True(_pi.IsStaged);
        Assert.False(File.Exists(_pi.At("eeprom")));
    }

    [Theory]
    [InlineData("RPI_EEPROM_USE_FLASHROM=1",
        "/etc/default/rpi-eeprom-update says RPI_EEPROM_USE_FLASHROM=1, by which the EEPROM is written without recovery.bin")]
    [InlineData("FIRMWARE_RELEASE_STATUS=\"latest\"\nexport RPI_EEPROM_IMMEDIATE_UPDATE=\"1\" # faster",
        "says RPI_EEPROM_IMMEDIATE_UPDATE=1")]
    [InlineData("RPI_EEPROM_SELF_UPDATE=0\nRPI_EEPROM_SELF_UPDATE=1", "says RPI_EEPROM_SELF_UPDATE=1")]
    [InlineData("#RPI_EEPROM_USE_FLASHROM=1\nRPI_EEPROM_USE_FLASHROM=0", null)]
    public async Task Settings_that_a_power_cut_would_break_for_good_are_refused_unless_it_is_allowed(
        string settings, string? cause)
    {
        _pi.Write("etc/default/rpi-eeprom-update", settings + "\n");
        if (cause is not null)
        {
            await RefusedAsync(cause);
            Assert.EndsWith("or order this with 'allowDirectWrite' (--direct-write) if somebody can get at the board", Outcome.Cause,
                StringComparison.Ordinal);
            Assert.True(Outcome.Final);
        }
        Assert.NotNull(await OrderAsync(mayWriteDirectly: cause is not null));
    }

    [Theory]
    [InlineData(0x14, "/dev/mmcblk0p1", "the ROM of a Raspberry Pi Compute Module 4 does not run recovery.bin from its eMMC")]
    [InlineData(0x15, "/dev/mmcblk0p1", "the ROM of a Raspberry Pi Compute Module 4S does not")]
    [InlineData(0x11, "/dev/sda1", "the boot partition is /dev/sda1, from which the board's ROM does not run recovery.bin")]
    [InlineData(0x17, "/dev/nvme0n1p1", "the boot partition is /dev/nvme0n1p1")]
    public async Task Boards_whose_ROM_does_not_run_recovery_are_refused_unless_it_is_allowed(int model, string device, string cause)
    {
        File.WriteAllBytes(_pi.At("proc/device-tree/system/linux,revision"), [0x00, 0xc0, (byte)(0x30 | model >> 4), (byte)(model << 4)]);
        _pi.Mount($"36 24 179:1 / /boot/firmware rw,relatime - vfat {device} rw");
        await RefusedAsync(cause);
        Assert.NotNull(await OrderAsync(mayWriteDirectly: true));
    }

    [Theory]
    [InlineData("", "nothing is mounted at /boot/firmware")]
    [InlineData("36 24 179:1 / /boot/firmware rw,relatime - vfat /dev/mmcblk0p1 ro,fmask=0022", "/boot/firmware is mounted read-only")]
    [InlineData("36 24 179:1 / /boot/firmware rw,relatime - ext4 /dev/mmcblk0p1 rw", "/boot/firmware is a file system of kind ext4")]
    public async Task A_boot_partition_that_the_ROM_would_find_nothing_on_is_refused(string mount, string cause)
    {
        _pi.Mount(mount);
        await RefusedAsync(cause);
    }

    [Fact]
    public async Task A_boot_partition_without_room_is_refused_with_the_numbers()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "mounts need root: run with sudo");
        await ToolAsync("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", _pi.At("boot/firmware"));
        try
        {
            await RefusedAsync("/boot/firmware has 1.0 MB free, and 4.2 MB are needed");
        }
        finally
        {
            await ToolAsync("umount", _pi.At("boot/firmware"));
        }
    }

    [Fact]
    public async Task Packages_that_are_being_changed_come_first()
    {
        _pi.Write("var/lib/dpkg/updates/0001", "Package: rpi-eeprom\n");
        await RefusedAsync("dpkg was interrupted (1 file in /var/lib/dpkg/updates)");
        _pi.Write("var/lib/dpkg/updates/0002", "Package: flashrom\n");
        await RefusedAsync("dpkg was interrupted (2 files in /var/lib/dpkg/updates)");
        File.Delete(_pi.At("var/lib/dpkg/updates/0002"));
        File.Delete(_pi.At("var/lib/dpkg/updates/0001"));

        _pi.Write("var/lib/dpkg/lock-frontend", "");
        File.CreateSymbolicLink(_pi.At("proc/locks"), "/proc/locks");
        using (var held = new FileStream(_pi.At("var/lib/dpkg/lock-frontend"), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            held.Lock(0, 0);
            await RefusedAsync("a package manager is at work (/var/lib/dpkg/lock-frontend is locked)");
        }
        Assert.NotNull(await OrderAsync());
    }

    [Fact]
    public async Task An_updater_that_somebody_else_runs_comes_first()
    {
        _pi.Write("proc/4711/cmdline", "/bin/sh\0/usr/bin/rpi-eeprom-update\0-s\0-a\0");
        await RefusedAsync("rpi-eeprom-update is at work already (process 4711): order this again when it has ended");
        _pi.Write("proc/4711/cmdline", "vi\0/usr/bin/rpi-eeprom-update\0");
        Assert.NotNull(await OrderAsync());
    }

    [Theory]
    [InlineData("is-cm4", true,
        "rpi-eeprom-update does not update this board: rpi-eeprom-update is not enabled by default on CM4. Run with -h for more " +
        "information.", 1)]
    [InlineData("lacks-lspci", false, "rpi-eeprom-update ended with exit code 2: lspci not found. Try installing the pciutils package.", 1)]
    [InlineData("is-frozen", true,
        "the board's EEPROM settings hold its version fast (FREEZE_VERSION=1): " +
        "take that out with rpi-eeprom-config --edit, and order this again", 3)]
    [InlineData("card-fails", false, "rpi-eeprom-update ended with exit code 2: Failed to copy /tmp/tmp.1 to /boot/firmware", 3)]
    public async Task What_the_updater_says_is_the_cause(string how, bool isFinal, string cause, int calls)
    {
        _pi.Write(how, "");
        Assert.Null(await OrderAsync());
        Assert.Equal((false, isFinal, cause), (Outcome.Succeeded, Outcome.Final, Outcome.Cause));
        // Nothing is taken back where a write may have failed: the board starts by what it left.
        Assert.Equal(calls, _pi.Calls.Length);
    }

    [Fact]
    public async Task A_version_that_is_held_fast_is_seen_before_anybody_is_warned()
    {
        _pi.Program("rpi-eeprom-config", "#!/bin/sh\nprintf '[all]\\nBOOT_UART=0\\nFREEZE_VERSION=1\\n'\n");
        await RefusedAsync("the board's EEPROM settings hold its version fast (FREEZE_VERSION=1)");
        Assert.True(Outcome.Final);
        Assert.Equal([Look], _pi.Calls);
        _pi.Program("rpi-eeprom-config", "#!/bin/sh\nprintf '[all]\\nBOOT_UART=0\\nFREEZE_VERSION=0\\n'\n");
        Assert.NotNull(await OrderAsync());
    }

    [Fact]
    public async Task A_node_without_images_or_without_the_updater_says_what_to_install()
    {
        _pi.Package(0);
        await RefusedAsync("the node has no boot firmware for this board");
        File.Delete(Path.Combine(_pi.Bin, "rpi-eeprom-update"));
        await RefusedAsync("this node has no rpi-eeprom-update: install its package rpi-eeprom, and order this again");
    }

    [Fact]
    public async Task Boards_without_an_EEPROM_are_refused_with_what_is_possible_there()
    {
        File.WriteAllBytes(_pi.At("proc/device-tree/system/linux,revision"), [0x00, 0xa0, 0x20, 0x82]);
        await RefusedAsync("a Raspberry Pi 3 Model B has no EEPROM");
        Assert.True(Outcome.Final);
        Directory.Delete(_pi.At("proc/device-tree"), recursive: true);
        _pi.Write("proc/device-tree/model", "Radxa ROCK 5B\0");
        await RefusedAsync("no way is known here to update the boot firmware of this machine (Radxa ROCK 5B)");
        Directory.CreateDirectory(_pi.At("sys/firmware/efi"));
        await RefusedAsync("this machine's boot firmware is UEFI");
        Assert.True(Outcome.Final);
        Assert.Empty(_pi.Calls);
    }
}

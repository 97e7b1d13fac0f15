using System.Security.Cryptography;
using System.Text;

namespace Bootstrap.Rack.Rom;

/// <summary>What firmware hands over to the kernel: paths of files, and the kernel's command line.</summary>
internal sealed record BootPayload(string Kernel, string? Initramfs, string DeviceTree, string CommandLine);

/// <summary>
/// Does what start.elf and start4.elf do: reads config.txt, loads what it names, writes into the device tree what board this is.
/// What it loaded, and no other, is what the board then runs.
/// </summary>
internal sealed class Firmware(PiModel model, BoardOptions board, EventLog events)
{
    /// <summary>Loads from a card, whose autoboot.txt may name another partition than the first.</summary>
    /// <param name="tryBoot">The system before has set the flag for this one start.</param>
    public async Task<BootPayload?> LoadCardAsync(string card, string folder, bool tryBoot)
    {
        if (CardSource.Open(card) is not { } first)
        {
            return null;
        }
        AutobootTxt autoboot = AutobootTxt.Parse(await first.FetchAsync("autoboot.txt") is { } text ? Encoding.ASCII.GetString(text) : "",
            tryBoot);
        if (autoboot.Partition is not { } partition)
        {
            return await LoadAsync(first, folder, tryBoot);
        }
        events.Write("autoboot", ("partition", partition), ("tryboot", tryBoot));
        return CardSource.Open(card, partition) is { } chosen ? await LoadAsync(chosen, folder, tryBoot, autoboot.TryBootIsAB, partition)
            : null;
    }

    /// <summary>Loads everything into a folder. Null, with an event that says why, if something is missing.</summary>
    public async Task<BootPayload?> LoadAsync(IBootSource source, string folder, bool tryBoot = false, bool tryBootIsAB = false,
        int partition = 1)
    {
        byte[]? configText = await source.FetchAsync(tryBoot && !tryBootIsAB ? "tryboot.txt" : "config.txt");
        ConfigTxt config = ConfigTxt.Parse(configText is null ? "" : Encoding.ASCII.GetString(configText), model.Section);
        await source.ExistsAsync("dt-blob.bin");
        await source.ExistsAsync("bootcfg.txt");

        string treePath = config.OsPrefix + (config.DeviceTree ?? model.DeviceTree);
        byte[]? tree = await source.FetchAsync(treePath);
        await source.ExistsAsync(config.OsPrefix + "overlays/overlay_map.dtb");
        byte[]? commandLine = await source.FetchAsync(config.OsPrefix + config.CommandLine);
        await source.ExistsAsync("armstub8.bin");
        byte[]? kernel = await source.FetchAsync(config.OsPrefix + config.Kernel);
        if (tree is null || kernel is null)
        {
            return Fail(source, tree is null ? treePath : config.OsPrefix + config.Kernel);
        }
        var initramfs = new MemoryStream();
        foreach (string part in config.Initramfs)
        {
            // A firmware that finds no initramfs starts the kernel without it; here that would only hide a fault.
            if (await source.FetchAsync(config.OsPrefix + part) is not { } bytes)
            {
                return Fail(source, config.OsPrefix + part);
            }
            initramfs.Write(bytes);
        }

        Directory.CreateDirectory(folder);
        string KeepAs(string name, byte[] content)
        {
            string path = Path.Combine(folder, name);
            File.WriteAllBytes(path, content);
            return path;
        }
        var payload = new BootPayload(KeepAs("kernel", kernel), initramfs.Length > 0 ? KeepAs("initramfs", initramfs.ToArray()) : null,
            KeepAs("device-tree.dtb", tree),
            // cmdline.txt is one line; serial0 is the header's UART, whichever that is on this board.
            Encoding.ASCII.GetString(commandLine ?? []).Split('\n')[0].Trim()
                .Replace("console=serial0", "console=ttyAMA0", StringComparison.Ordinal));
        await DescribeBoardAsync(payload.DeviceTree, tryBoot, partition);
        events.Write($"{source.Name}-boot", ("kernel", config.OsPrefix + config.Kernel),
            ("kernel_sha256", Convert.ToHexStringLower(SHA256.HashData(kernel))),
            ("initramfs", string.Join(',', config.Initramfs)), ("device_tree", treePath), ("cmdline", payload.CommandLine));
        return payload;
    }

    private BootPayload? Fail(IBootSource source, string path)
    {
        events.Write("boot-failed", ("source", source.Name), ("reason", $"{path} is missing"));
        return null;
    }

    private async Task DescribeBoardAsync(string tree, bool tryBoot, int partition)
    {
        await Tool.RunAsync("fdtput", "-t", "s", tree, "/", "model", model.Name);
        await Tool.RunAsync("fdtput", "-t", "s", tree, "/", "serial-number", board.Serial);
        await Tool.RunAsync("fdtput", "-p", "-t", "x", tree, "/system", "linux,revision",
            model.Revision.ToString("x", System.Globalization.CultureInfo.InvariantCulture));
        await Tool.RunAsync("fdtput", "-t", "x", tree, "/system", "linux,serial", board.Serial[..8], board.Serial[8..]);
        if (model.HasEeprom)
        {
            await Tool.RunAsync("fdtput", "-p", "-t", "x", tree, "/chosen/bootloader", "tryboot", tryBoot ? "1" : "0");
            await Tool.RunAsync("fdtput", "-t", "x", tree, "/chosen/bootloader", "partition",
                partition.ToString("x", System.Globalization.CultureInfo.InvariantCulture));
        }
    }
}

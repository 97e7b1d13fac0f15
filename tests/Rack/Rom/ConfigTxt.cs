namespace Bootstrap.Rack.Rom;

/// <summary>
/// The part of config.txt that decides what is loaded (raspberrypi/documentation, "config.txt"). The last value wins; sections are filters:
/// [all] and the model's own apply, [none] and those of other models do not.
/// </summary>
internal sealed record ConfigTxt
{
    public string Kernel { get; private init; } = "kernel8.img";
    public IReadOnlyList<string> Initramfs { get; private init; } = [];
    public string CommandLine { get; private init; } = "cmdline.txt";
    public string? DeviceTree { get; private init; }
    public string OsPrefix { get; private init; } = "";

    public static ConfigTxt Parse(string text, string modelSection)
    {
        var config = new ConfigTxt();
        bool applies = true;
        foreach (string raw in text.Split('\n'))
        {
            string line = raw.Trim();
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }
            if (line[0] == '[')
            {
                applies = line.Equals("[all]", StringComparison.OrdinalIgnoreCase)
                    || line.Equals($"[{modelSection}]", StringComparison.OrdinalIgnoreCase);
            }
            else if (applies)
            {
                config = config.With(line);
            }
        }
        return config;
    }

    private ConfigTxt With(string line)
    {
        if (line.StartsWith("initramfs ", StringComparison.Ordinal))
        {
            // "initramfs FILE[,FILE…] [followkernel|ADDRESS]": the address is QEMU's business.
            string[] words = line.Split([' ', ',', '\t'], StringSplitOptions.RemoveEmptyEntries)[1..];
            return this with
            {
                Initramfs = [.. words.Where(word => word != "followkernel"
                && !word.StartsWith("0x", StringComparison.Ordinal))]
            };
        }
        int equals = line.IndexOf('=', StringComparison.Ordinal);
        string value = line[(equals + 1)..].Trim();
        return (equals < 0 ? "" : line[..equals].Trim()) switch
        {
            "kernel" => this with { Kernel = value },
            "ramfsfile" => this with
            {
                Initramfs = value.Split(',',
                StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            },
            "cmdline" => this with { CommandLine = value },
            "device_tree" => this with { DeviceTree = value },
            "os_prefix" => this with { OsPrefix = value },
            _ => this,
        };
    }
}

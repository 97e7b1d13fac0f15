namespace Bootstrap.Agent;

/// <summary>A Raspberry Pi's tryboot flag: a restart with it is another one, once.</summary>
internal static class TryBoot
{
    private const string Bootloader = "proc/device-tree/chosen/bootloader/tryboot";

    /// <summary>The bootloader knows it; whether the kernel hands it on is another question.</summary>
    /// <param name="root">"/" but in tests.</param>
    public static bool IsKnown(string root) => File.Exists(Path.Combine(root, Bootloader));

    /// <summary>
    /// The bootloader of a Pi 4 or 5 says in the device tree that it knows tryboot; only Raspberry Pi's own kernels hand the
    /// flag on at a restart (their watchdog driver takes "0 tryboot").
    /// </summary>
    /// <param name="root">"/" but in tests.</param>
    public static bool IsOffered(string root)
    {
        string release = Path.Combine(root, "proc/sys/kernel/osrelease");
        return IsKnown(root) && File.Exists(release) &&
            File.ReadAllText(release) is var kernel &&
            (kernel.Contains("rpi", StringComparison.Ordinal) || kernel.Contains("-v8", StringComparison.Ordinal));
    }
}

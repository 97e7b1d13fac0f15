namespace Bootstrap.Agent;

/// <summary>A Raspberry Pi's config.txt, rewritten so that the firmware starts NetInst (documentation: config.txt, boot options).</summary>
public static class ConfigTxt
{
    /// <summary>Options that say what is started; all others say how the board is wired, and stay.</summary>
    private static readonly string[] s_replaced =
        ["kernel", "initramfs", "ramfsfile", "ramfsaddr", "auto_initramfs", "cmdline", "os_prefix"];

    /// <summary>Gives the new text.</summary>
    /// <param name="original">The board's own config.txt.</param>
    /// <param name="folder">Folder of NetInst's files on the boot partition.</param>
    public static string ForNetInst(string original, string folder)
    {
        IEnumerable<string> kept = original.ReplaceLineEndings("\n").Split('\n').Where(line => !s_replaced.Contains(KeyOf(line)))
            .SkipLast(original.EndsWith('\n') ? 1 : 0);
        // Filters such as [pi4] last until the next one: what follows is for every board.
        return string.Join('\n', [.. kept, "[all]", "arm_64bit=1", $"kernel={folder}/kernel", $"initramfs {folder}/initramfs followkernel",
            $"cmdline={folder}/cmdline.txt", ""]);
    }

    private static string KeyOf(string line)
    {
        string trimmed = line.TrimStart();
        int end = trimmed.AsSpan().IndexOfAny('=', ' ', '\t');
        return end < 0 ? trimmed : trimmed[..end];
    }
}

namespace Bootstrap.Board;

/// <summary>The entries that the boot manager of UEFI firmware has for the two slots of a disk's system.</summary>
public static class SlotEntries
{
    /// <summary>By this an entry is known as one of a slot.</summary>
    /// <param name="slot">'a' or 'b'.</param>
    public static string DescriptionOf(char slot) => $"Bootstrap slot {slot}";

    /// <summary>Deletes them: whatever is first on the disk is started from then on.</summary>
    /// <exception cref="IOException">The firmware keeps one.</exception>
    public static void Remove(EfiVariables variables)
    {
        _ = variables.Remove(DescriptionOf('a'));
        _ = variables.Remove(DescriptionOf('b'));
    }
}

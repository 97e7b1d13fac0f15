namespace Bootstrap.Installer;

/// <summary>What System.Formats.Tar, and the decoder below it, make of an archive that is damaged or made to do harm.</summary>
public static class TarFault
{
    /// <summary>
    /// Whether an exception says that of an archive. Headers are numbers in text, names with any character in them, and lengths up to
    /// gigabytes that are asked of memory at once: their exceptions are not the library's documented ones alone.
    /// </summary>
    public static bool Is(Exception e) => e is InvalidDataException or EndOfStreamException or FormatException or ArgumentException
        or OverflowException or NotSupportedException or InvalidOperationException or InvalidCastException or OutOfMemoryException
        or ZstdSharp.ZstdException;
}

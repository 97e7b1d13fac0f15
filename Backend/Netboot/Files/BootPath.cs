using System.Diagnostics.CodeAnalysis;

namespace Bootstrap.Netboot;

/// <summary>The one place where a path from the network becomes a path that files are looked up by.</summary>
public static class BootPath
{
    /// <summary>Longer paths are refused; no boot program has one.</summary>
    public const int MaxLength = 255;

    /// <summary>
    /// Turns a requested path into parts joined by single '/', with no leading or trailing one. Backslashes (Windows-minded PXE programs)
    /// count as slashes; "." and empty parts are dropped. Refused: "..", control characters, ':' (drives, streams), nothing at all, and
    /// what is longer than <see cref="MaxLength"/>.
    /// </summary>
    public static bool TryNormalise(string requested, [NotNullWhen(true)] out string? path)
    {
        path = null;
        if (requested.Length > MaxLength || requested.AsSpan().ContainsAny('\0', ':') || requested.Any(char.IsControl))
        {
            return false;
        }
        string[] parts = [.. requested.Replace('\\', '/').Split('/').Where(part => part is not ("" or "."))];
        if (parts.Length == 0 || parts.Contains(".."))
        {
            return false;
        }
        path = string.Join('/', parts);
        return true;
    }
}

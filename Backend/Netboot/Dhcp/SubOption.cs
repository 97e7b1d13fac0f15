namespace Bootstrap.Netboot.Dhcp;

/// <summary>Options within an option: a number, a length and that many bytes, one behind the other (RFC 3046 §2.0).</summary>
internal static class SubOption
{
    /// <summary>Finds the first of a number; one that reaches beyond the end ends the list.</summary>
    public static bool TryFind(ReadOnlySpan<byte> option, byte code, out ReadOnlySpan<byte> data)
    {
        while (option.Length >= 2 && option.Length >= 2 + option[1])
        {
            data = option.Slice(2, option[1]);
            if (option[0] == code)
            {
                return true;
            }
            option = option[(2 + option[1])..];
        }
        data = default;
        return false;
    }
}

using System.Text;

namespace Bootstrap.Installer.Tests;

/// <summary>A tar archive in which a few bytes are others, or the end is missing. Headers have the right checksum all the same, as they
/// have from somebody who means harm.</summary>
internal static class DamagedTar
{
    private const int BlockBytes = 512;

    public static byte[] Of(byte[] sound, Random random)
    {
        byte[] bytes = (byte[])sound.Clone();
        int[] headers = [.. Enumerable.Range(0, bytes.Length / BlockBytes)
            .Where(i => bytes.AsSpan(i * BlockBytes + 257, 5).SequenceEqual("ustar"u8)).Select(i => i * BlockBytes)];
        for (int change = random.Next(1, 4); change > 0; change--)
        {
            // Half of the time within a header or what follows it, which may be a long name or extended attributes.
            int at = headers.Length > 0 && random.Next(2) == 0 ? headers[random.Next(headers.Length)] + random.Next(2 * BlockBytes)
                : random.Next(bytes.Length);
            if (at < bytes.Length)
            {
                bytes[at] = random.Next(3) switch
                {
                    0 => (byte)random.Next(256),
                    1 => (byte)('0' + random.Next(10)),
                    _ =>
                    (byte)(bytes[at] ^ 1 << random.Next(8))
                };
            }
        }
        foreach (int header in headers)
        {
            Encoding.ASCII.GetBytes("        ").CopyTo(bytes, header + 148);
            int sum = bytes.AsSpan(header, BlockBytes).ToArray().Sum(b => b);
            Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(bytes, header + 148);
        }
        return random.Next(8) == 0 ? bytes[..random.Next(bytes.Length)] : bytes;
    }
}

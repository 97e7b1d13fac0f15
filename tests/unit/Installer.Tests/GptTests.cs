using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Bootstrap.Installer.Tests;

/// <summary>Tables are made and judged by sfdisk.</summary>
public sealed class GptTests : IDisposable
{
    private const long Mebi = 1 << 20;
    private const int HeadBytes = (int)Mebi;

    private readonly string _disk = Path.GetTempFileName();

    [Fact]
    public void An_images_table_becomes_that_of_a_larger_disk_and_its_last_partition_grows()
    {
        byte[] head = MakeImage(64 * Mebi);
        long end = 8 * Mebi + Gpt.LengthToEnd(head, 8 * Mebi, 200 * Mebi + 512);
        Assert.Equal(199 * Mebi, end); // the last whole MiB before the second copy
        Write(head, Gpt.Fit(head, 200 * Mebi + 512, 2, end), 200 * Mebi + 512);

        Assert.Contains("No errors detected", Run("sfdisk", "--verify", _disk));
        JsonNode table = JsonNode.Parse(Run("sfdisk", "--json", _disk))!["partitiontable"]!;
        Assert.Equal((200 * Mebi + 512) / 512 - 34, (long)table["lastlba"]!);
        Assert.Equal([(2048L, 14336L), (16384L, (199 - 8) * 2048L)],
            table["partitions"]!.AsArray().Select(p => ((long)p!["start"]!, (long)p["size"]!)));
    }

    [Fact]
    public void A_table_whose_partitions_stay_moves_its_second_copy_to_the_end_of_the_disk()
    {
        byte[] head = MakeImage(64 * Mebi);
        Write(head, Gpt.Fit(head, 128 * Mebi, 2, null), 128 * Mebi);
        Assert.Contains("No errors detected", Run("sfdisk", "--verify", _disk));
        // The first copy is gone: the second alone tells the same.
        using (FileStream disk = File.OpenWrite(_disk))
        {
            disk.Position = 512;
            disk.Write(new byte[512]);
        }
        Assert.Equal(2, JsonNode.Parse(Run("sfdisk", "--json", _disk))!["partitiontable"]!["partitions"]!.AsArray().Count);
    }

    [Fact]
    public void What_is_no_gpt_or_makes_no_sense_is_none()
    {
        byte[] head = MakeImage(64 * Mebi);
        Assert.True(Gpt.IsGpt(head));
        Assert.False(Gpt.IsGpt(head.AsSpan(0, 512)));
        Assert.False(Gpt.IsGpt(head.AsSpan(0, 33 * 512))); // its entries end behind
        foreach (int place in (int[])[450, 510, 512, 512 + 15, 512 + 72 + 7, 512 + 80 + 3, 512 + 84 + 3])
        {
            byte[] changed = [.. head];
            changed[place] ^= 0x80;
            Assert.False(Gpt.IsGpt(changed));
        }
    }

    [Theory]
    [InlineData("1:EE", 2)]
    [InlineData("1", 1)]
    public void A_hybrid_table_grows_and_what_it_says_for_old_firmware_stays(string order, int protective)
    {
        MakeImage(64 * Mebi);
        Run("/usr/sbin/sgdisk", "--hybrid", order, _disk);
        byte[] head = new byte[HeadBytes];
        using (FileStream made = File.OpenRead(_disk))
        {
            made.ReadExactly(head);
        }
        Assert.True(Gpt.IsGpt(head));
        Assert.Equal(protective, Protocol.Images.Mbr.ProtectiveEntry(head));
        byte[] entries = head[446..510];
        Write(head, Gpt.Fit(head, 200 * Mebi, 2, 8 * Mebi + Gpt.LengthToEnd(head, 8 * Mebi, 200 * Mebi)), 200 * Mebi);
        Assert.Equal(entries, head[446..510]);
        Assert.Contains("No problems found", Run("/usr/sbin/sgdisk", "--verify", _disk));
        JsonNode table = JsonNode.Parse(Run("sfdisk", "--json", _disk))!["partitiontable"]!;
        Assert.Equal("gpt", table["label"]!.ToString());
        Assert.Equal((199 - 8) * 2048L, (long)table["partitions"]![1]!["size"]!);
    }

    public void Dispose() => File.Delete(_disk);

    /// <summary>A disk with two partitions: the second from 8 MiB to its end.</summary>
    /// <returns>Its first bytes.</returns>
    private byte[] MakeImage(long size)
    {
        using (FileStream disk = File.OpenWrite(_disk))
        {
            disk.SetLength(size);
        }
        Run("sh", "-c", $"printf 'label: gpt\\nstart=2048,size=14336\\nstart=16384\\n' | /usr/sbin/sfdisk -q {_disk}");
        byte[] head = new byte[HeadBytes];
        using FileStream made = File.OpenRead(_disk);
        made.ReadExactly(head);
        return head;
    }

    private void Write(byte[] head, byte[] end, long size)
    {
        using FileStream disk = File.Create(_disk);
        disk.SetLength(size);
        disk.Write(head);
        disk.Position = size - end.Length;
        disk.Write(end);
    }

    private static string Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(
            program == "sfdisk" ? "/usr/sbin/sfdisk" : program, arguments)
        { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, output + errors);
        return output;
    }
}

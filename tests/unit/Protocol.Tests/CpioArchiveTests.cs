using System.Diagnostics;
using System.Text;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Protocol.Tests;

public sealed class CpioArchiveTests
{
    [Fact]
    public void Cpio_itself_unpacks_what_was_packed()
    {
        var archive = new CpioArchive();
        archive.AddDirectory("etc", 0x1ed);
        archive.AddDirectory("etc/bootstrap", 0x1c0);
        archive.AddFile("etc/bootstrap/node.json", 0x180, "{}"u8);
        archive.AddFile("etc/empty", 0x1a4, []);
        byte[] bytes = archive.ToArray();
        Assert.Equal(0, bytes.Length % 512);

        string folder = Directory.CreateTempSubdirectory("cpio-").FullName;
        try
        {
            var start = new ProcessStartInfo("cpio", ["-i", "--quiet"]) { RedirectStandardInput = true, WorkingDirectory = folder };
            using Process cpio = Process.Start(start)!;
            cpio.StandardInput.BaseStream.Write(bytes);
            cpio.StandardInput.Close();
            cpio.WaitForExit();
            Assert.Equal(0, cpio.ExitCode);
            string file = Path.Combine(folder, "etc/bootstrap/node.json");
            Assert.Equal("{}", File.ReadAllText(file, Encoding.UTF8));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            Assert.Equal(0, new FileInfo(Path.Combine(folder, "etc/empty")).Length);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

using CsCheck;

namespace Bootstrap.Netboot.Tests;

public sealed class BootPathTests
{
    private static readonly string[] s_parts = ["..", ".", "/", "\\", "a", "\0", "..\\", "c:", "start4.elf"];

    [Fact]
    public void No_path_that_passes_leaves_its_folder() =>
        Gen.OneOf(Gen.String, Gen.Int[0, s_parts.Length - 1].Select(i => s_parts[i]).List[0, 8].Select(parts => string.Join('/', parts)))
            .Sample(requested =>
            {
                if (BootPath.TryNormalise(requested!, out string? path))
                {
                    Assert.StartsWith("/srv/boot/", Path.GetFullPath("/srv/boot/" + path));
                    Assert.DoesNotContain(path!.Split('/'), part => part is "" or "." or "..");
                    Assert.DoesNotContain(path, c => char.IsControl(c) || c == '\\');
                    Assert.True(BootPath.TryNormalise(path, out string? again) && again == path, "normalising twice changes nothing");
                }
            });

    [Theory]
    [InlineData("/c0ffee01/start4.elf", "c0ffee01/start4.elf")]
    [InlineData("//config.txt", "config.txt")]
    [InlineData("Boot\\BCD", "Boot/BCD")]
    [InlineData("./a/./b/", "a/b")]
    public void Harmless_differences_are_evened_out(string requested, string expected)
    {
        Assert.True(BootPath.TryNormalise(requested, out string? path));
        Assert.Equal(expected, path);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("..")]
    [InlineData("a/../../etc/passwd")]
    [InlineData("..\\..\\boot.ini")]
    [InlineData("c:\\boot.ini")]
    [InlineData("config.txt\0.png")]
    [InlineData("config\n.txt")]
    public void Others_are_refused(string requested) => Assert.False(BootPath.TryNormalise(requested, out _));
}

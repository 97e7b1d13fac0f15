namespace Bootstrap.Board.Tests;

public sealed class NvmeHealthTests
{
    [Theory]
    [InlineData("/dev/null")]
    [InlineData("/proc/self/exe")]
    [InlineData("/dev/nvme-of-nobody")]
    public void What_is_no_drive_tells_no_wear(string path) => Assert.Null(NvmeHealth.LifeUsedPercent(path));
}

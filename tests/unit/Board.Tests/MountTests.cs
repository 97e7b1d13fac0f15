using Bootstrap.Installer;

namespace Bootstrap.Board.Tests;

/// <summary>File systems that come and go while others look into them.</summary>
[Collection(Mounting.Name)]
public sealed class MountTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mount-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task What_somebody_uses_for_a_moment_is_unmounted_when_he_has_done()
    {
        var volume = new MountedVolume("tmpfs", _folder, "tmpfs", "a file system", readOnly: false);
        string file = Path.Combine(_folder, "file");
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task user = Task.Run(async () =>
        {
            await using FileStream held = File.Create(file);
            open.SetResult();
            await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System, TestContext.Current.CancellationToken);
        }, TestContext.Current.CancellationToken);
        await open.Task;
        volume.Dispose();
        await user;
        Assert.False(File.Exists(file));
    }

    [Fact]
    public void What_is_not_mounted_is_said_at_once() => Assert.Equal(Linux.EINVAL,
        Assert.Throws<LinuxException>(() => Linux.Unmount(_folder, "unmounting nothing")).Errno);
}

using Bootstrap.Benchmarks.Measurement;

namespace Bootstrap.Benchmarks.Tests;

/// <summary>On a made-up /sys: virtual machines have no cpufreq.</summary>
public sealed class GovernorTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("governors-").FullName;

    public GovernorTests()
    {
        Set("policy0", "ondemand");
        Set("policy4", "powersave");
    }

    private string Kept => Path.Combine(_root, "run/kept");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void They_are_raised_while_it_is_measured_and_put_back()
    {
        using (Governors.Raise(_root, Kept))
        {
            Assert.Equal(("performance", "performance"), Now);
        }
        Assert.Equal(("ondemand", "powersave"), Now);
        Assert.False(File.Exists(Kept));
    }

    [Fact]
    public void What_a_killed_run_has_left_is_put_back_before_the_next_one_and_by_whoever_finds_it()
    {
        _ = Governors.Raise(_root, Kept);
        using (Governors.Raise(_root, Kept))
        {
            Assert.Equal(("performance", "performance"), Now);
        }
        Assert.Equal(("ondemand", "powersave"), Now);

        _ = Governors.Raise(_root, Kept);
        Governors.Restore(_root, Kept);
        Assert.Equal(("ondemand", "powersave"), Now);
        Governors.Restore(_root, Kept);
    }

    [Fact]
    public void A_governor_that_somebody_chose_meanwhile_stays()
    {
        using (Governors.Raise(_root, Kept))
        {
            Set("policy4", "conservative");
        }
        Assert.Equal(("ondemand", "conservative"), Now);
    }

    [Fact]
    public void A_machine_without_governors_has_none_to_raise()
    {
        Directory.Delete(Path.Combine(_root, "sys"), recursive: true);
        using (Governors.Raise(_root, Kept))
        {
            Assert.False(File.Exists(Kept));
        }
    }

    private (string, string) Now => (Get("policy0"), Get("policy4"));

    private string FileOf(string policy) => Path.Combine(_root, $"sys/devices/system/cpu/cpufreq/{policy}/scaling_governor");

    private string Get(string policy) => File.ReadAllText(FileOf(policy)).Trim();

    private void Set(string policy, string governor)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(FileOf(policy))!);
        File.WriteAllText(FileOf(policy), governor + "\n");
    }
}

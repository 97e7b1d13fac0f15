using System.Diagnostics;
using Bootstrap.Agent;

namespace Bootstrap.Board.Tests;

public sealed class SystemPowerTests
{
    /// <summary>A machine that goes down ends systemctl with the Slave's service, at times before it has said that all is well.</summary>
    [Theory]
    [InlineData("exit 0", true)]
    [InlineData("kill -TERM $$", true)]
    [InlineData("exit 1", false)]
    [InlineData("kill -KILL $$", false)]
    public void A_restart_has_begun_also_where_it_has_ended_the_program_that_asked_for_it(string shell, bool hasBegun)
    {
        using Process program = Process.Start("sh", ["-c", shell]);
        program.WaitForExit();
        Assert.Equal(hasBegun, SystemPower.HasBegun(program.ExitCode));
    }
}

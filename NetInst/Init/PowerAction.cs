using Bootstrap.Board;

namespace Bootstrap.Init;

/// <summary>How NetInst ends.</summary>
internal enum PowerAction
{
    Reboot,
    PowerOff,
}

internal static class Power
{
    /// <summary>Does not return.</summary>
    public static void Do(PowerAction action)
    {
        Linux.Sync();
        Linux.Check(Linux.Reboot(action == PowerAction.Reboot ? Linux.RebootRestart : Linux.RebootPowerOff), "restarting the board");
    }
}

using Bootstrap.Agent;

namespace Bootstrap.Server.Tests;

/// <summary>A machine that stays on, and tells what was asked of it.</summary>
internal sealed class RecordingPower : ISystemPower
{
    public TaskCompletionSource<string> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Restart(StagedStart start) => Done.TrySetResult("restart");

    public void PowerOff() => Done.TrySetResult("power-off");
}

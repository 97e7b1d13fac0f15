using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Jobs.Kinds;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Features.Settings;

namespace Bootstrap.Server.Features.Jobs.Engine;

/// <summary>What the policy has for a board that runs NetInst and has nothing to do.</summary>
internal sealed class NewBoards(NodeDirectory nodes, PolicyStore policies, JobSources sources)
{
    /// <param name="architecture">The board's.</param>
    /// <param name="reason">Why there is nothing, in words for the board's console; empty: there is something.</param>
    /// <returns>What is to be done with it; null: nothing.</returns>
    public JobSpec? Decide(NodeId id, string architecture, out string reason)
    {
        Policy policy = policies.Get();
        bool isNew = nodes.Find(id) is { Lifecycle: Lifecycle.New };
        if (!isNew || policy.ImageFor(architecture) is not { } image)
        {
            reason = isNew ? "waiting for a person to assign an image to this board"
                : "nothing is assigned to this board; its disk stays as it is";
            return null;
        }
        if (sources.Images.Find(image.ToString()) is null)
        {
            reason = "the image that new boards get is not on the appliance any more: a person imports it, or chooses another one";
            return null;
        }
        if (policy.Profile is { } profile && sources.Profiles.Render(profile, id, out string fault) is null)
        {
            reason = $"the profile '{profile}' of new boards does not fit this one: {fault}";
            return null;
        }
        reason = "";
        return InstallKind.Plain(image, policy.Profile, testCard: policy.BurnIn == Policy.LongBurnIn);
    }
}

using System.Text.Json;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Images;
using Bootstrap.Server.Features.Nodes;

namespace Bootstrap.Server.Features.Jobs;

/// <summary>Which of some nodes a job can be done on that nobody looks at before it begins.</summary>
/// <param name="Spec">What the others do; null: there are no others.</param>
/// <param name="Unfit">The reason for each that it cannot be done on.</param>
internal sealed record Fitting(JobSpec? Spec, IReadOnlyDictionary<NodeId, string> Unfit)
{
    /// <summary>Finds out.</summary>
    /// <param name="kind">Word of a kind that there is.</param>
    /// <param name="image">Name or digest; null: none.</param>
    public static Fitting Of(string kind, string? image, JsonElement? parameters, IReadOnlyList<NodeView> nodes, JobSources sources)
    {
        Dictionary<NodeId, string> unfit = [];
        ImageView? found = image is null ? null : sources.Images.Find(image);
        foreach (NodeView node in nodes.Where(_ => image is not null))
        {
            if (found is null)
            {
                unfit[node.Id] = $"there is no image '{image}' any more";
            }
            else if (found.Architecture != node.Inventory.Architecture)
            {
                unfit[node.Id] = $"image '{found.Name}' is for {found.Architecture}, this node is {node.Inventory.Architecture}";
            }
        }
        if (Accept(out string fault) is { } spec)
        {
            return new Fitting(spec, unfit);
        }
        // One node that it does not suit is no reason to leave the others out.
        foreach (NodeView node in Left().Where(_ => found is not null || image is null))
        {
            if (TaskKind.Find(kind)!.Accept(new JobWish(image, parameters, [node]), sources, out string reason) is null)
            {
                unfit[node.Id] = reason;
            }
        }
        spec = Left().Length > 0 ? Accept(out fault) : null;
        foreach (NodeView node in Left().Where(_ => spec is null))
        {
            unfit[node.Id] = fault;
        }
        return new Fitting(spec, unfit);

        NodeView[] Left() => [.. nodes.Where(n => !unfit.ContainsKey(n.Id))];

        JobSpec? Accept(out string fault) => TaskKind.Find(kind)!.Accept(new JobWish(image, parameters, Left()), sources, out fault);
    }
}

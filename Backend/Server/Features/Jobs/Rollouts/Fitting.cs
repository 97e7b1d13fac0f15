using System.Text.Json;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Images;
using Bootstrap.Server.Features.Jobs.Kinds;
using Bootstrap.Server.Features.Nodes;

namespace Bootstrap.Server.Features.Jobs.Rollouts;

/// <summary>Which of some nodes a job can be done on that nobody looks at before it begins.</summary>
/// <param name="Spec">What the others do; null: there are no others.</param>
/// <param name="Unfit">The reason for each that it cannot be done on.</param>
internal sealed record Fitting(JobSpec? Spec, IReadOnlyDictionary<NodeId, string> Unfit)
{
    /// <summary>Finds out.</summary>
    /// <param name="kind">Word of a kind that there is.</param>
    /// <param name="image">Name or digest; null: none.</param>
    /// <param name="beside">Nodes that do it as well, and are not asked about: no two may get one host name.</param>
    public static Fitting Of(
        string kind, string? image, JsonElement? parameters, IReadOnlyList<NodeView> nodes, JobSources sources,
        IReadOnlyList<NodeView>? beside = null)
    {
        Dictionary<NodeId, string> unfit = [];
        ImageView? found = image is null ? null : sources.Images.Find(image);
        foreach (NodeView node in nodes.Where(_ => image is not null))
        {
            if (found is null)
            {
                unfit[node.Id] = $"there is no image '{image}' any more";
            }
            else if (found.Fault is { } why)
            {
                unfit[node.Id] = $"image '{found.Name}' cannot be installed on nodes: {why}";
            }
            else if (found.Architecture != node.Inventory.Architecture)
            {
                unfit[node.Id] = $"image '{found.Name}' is for {found.Architecture}, this node is {node.Inventory.Architecture}";
            }
        }
        List<NodeView> together = [.. Accept(beside ?? [], out _) is null ? [] : beside ?? []];
        NodeView[] left = [.. nodes.Where(n => !unfit.ContainsKey(n.Id))];
        JobSpec? spec = Accept([.. together, .. left], out string fault);
        if (spec is not null)
        {
            return new Fitting(spec, unfit);
        }
        // One that it does not suit is no reason to leave the others out.
        foreach (NodeView node in left)
        {
            if (Accept([.. together, node], out fault) is { } fits)
            {
                spec = fits;
                together.Add(node);
            }
            else
            {
                unfit[node.Id] = fault;
            }
        }
        return new Fitting(spec, unfit);

        JobSpec? Accept(IReadOnlyList<NodeView> nodes, out string fault) =>
            TaskKind.Find(kind)!.Accept(new JobRequest(image, parameters, nodes), sources, out fault);
    }
}

using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Features.Profiles;

namespace Bootstrap.Server.Features.Jobs.Kinds;

/// <summary>What to bring up to date.</summary>
/// <param name="Packages">These packages alone; none: all that are installed.</param>
/// <param name="TimeoutSeconds">After this time the node ends it.</param>
internal sealed record UpdateParameters(IReadOnlyList<string>? Packages = null, int TimeoutSeconds = 7200);

/// <summary>An update of a node's packages by its own package manager, in the phases <c>refresh</c> and <c>upgrade</c>.</summary>
internal sealed class UpdateKind : WorkKind<UpdateParameters>
{
    private const int MaximumPackages = 200;

    public override string Word => "update";

    private protected override string? Validate(UpdateParameters parameters, JobRequest request, JobSources sources)
    {
        IReadOnlyList<string> packages = parameters.Packages ?? [];
        return packages.Count > MaximumPackages
            ? $"{packages.Count} packages are named; {MaximumPackages} are possible, or name none: all are brought up to date then."
            : packages.Select(ProfileRules.Package).FirstOrDefault(fault => fault.Length > 0) is { } fault ? $"{fault}."
            : ValidateTimeout(parameters.TimeoutSeconds);
    }

    private protected override WorkOrder? Compose(
        TaskRow task, UpdateParameters parameters, bool again, JobSources sources, out string fault)
    {
        fault = "";
        return new UpdateOrder(parameters.Packages ?? [], parameters.TimeoutSeconds, again);
    }

    private protected override int TimeoutSeconds(UpdateParameters parameters) => parameters.TimeoutSeconds;
}

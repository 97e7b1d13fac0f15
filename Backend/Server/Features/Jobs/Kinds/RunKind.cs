using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Jobs.Tasks;

namespace Bootstrap.Server.Features.Jobs.Kinds;

/// <summary>What to run.</summary>
/// <param name="Command">The program and its arguments; or:</param>
/// <param name="Shell">One line for the node's /bin/sh.</param>
/// <param name="User">Whose command it is on the node.</param>
/// <param name="Folder">Where it works.</param>
/// <param name="TimeoutSeconds">After this time the node ends it.</param>
/// <param name="Environment">Beside the usual. No secrets: jobs are stored and shown.</param>
internal sealed record RunParameters(
    IReadOnlyList<string>? Command = null, string? Shell = null, string User = "root", string Folder = "/", int TimeoutSeconds = 3600,
    IReadOnlyDictionary<string, string>? Environment = null);

/// <summary>A command. It has succeeded when it ended with exit code 0.</summary>
internal sealed class RunKind : WorkKind<RunParameters>
{
    private static readonly Dictionary<string, string> s_nothing = [];

    public override string Word => "run";

    private protected override string? Validate(RunParameters parameters, JobRequest request, JobSources sources) =>
        new string?[]
        {
            CommandWords.Validate(parameters.Command, parameters.Shell), CommandWords.ValidateUser(parameters.User),
                CommandWords.ValidatePath("folder", parameters.Folder),
            CommandWords.ValidateEnvironment(parameters.Environment ?? s_nothing), ValidateTimeout(parameters.TimeoutSeconds),
        }.FirstOrDefault(fault => fault is not null);

    private protected override WorkOrder? Compose(
        TaskRow task, RunParameters parameters, bool again, JobSources sources, out string fault)
    {
        fault = "";
        return new RunOrder(CommandWords.Of(parameters.Command, parameters.Shell), parameters.User, parameters.Folder,
            parameters.Environment ?? s_nothing,
            parameters.TimeoutSeconds, again);
    }

    private protected override int TimeoutSeconds(RunParameters parameters) => parameters.TimeoutSeconds;
}

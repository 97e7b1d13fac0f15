using System.Text.RegularExpressions;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Files;
using Bootstrap.Server.Features.Jobs.Tasks;

namespace Bootstrap.Server.Features.Jobs.Kinds;

/// <summary>What to put where.</summary>
/// <param name="File">Digest or name of an uploaded file; stored as the digest.</param>
/// <param name="Path">Absolute path on the nodes: of the file, or of the folder that the archive is unpacked in.</param>
/// <param name="Unpack">The file is an archive (tar, plain or by gzip).</param>
/// <param name="Owner">User of the node whom it belongs to.</param>
/// <param name="Group">Its group.</param>
/// <param name="Mode">Permission bits of a single file, octal.</param>
/// <param name="Command">Run by root afterwards; or:</param>
/// <param name="Shell">One line for the node's /bin/sh.</param>
/// <param name="TimeoutSeconds">After this time the node ends it.</param>
internal sealed record DeployParameters(
    string File, string Path, bool Unpack = false, string Owner = "root", string Group = "root", string Mode = "0644",
    IReadOnlyList<string>? Command = null, string? Shell = null, int TimeoutSeconds = 3600);

/// <summary>Files of the appliance on nodes.</summary>
internal sealed partial class DeployKind : WorkKind<DeployParameters>
{
    public override string Word => "deploy";

    private protected override string? Validate(DeployParameters parameters, JobRequest request, JobSources sources) =>
        new string?[]
        {
            sources.Files.Find(parameters.File) is null
                ? $"There is no file '{parameters.File}': upload it first, or see the list of files for names and digests." : null,
            CommandWords.ValidatePath("path", parameters.Path),
            !parameters.Unpack && parameters.Path.EndsWith('/')
                ? $"'path' must name the file, and not only the folder '{parameters.Path}' that it goes to." : null,
            parameters.Path.Split('/').Contains("..") ? "'path' must not have '..' in it." : null,
            CommandWords.ValidateUser(parameters.Owner), CommandWords.ValidateUser(parameters.Group),
            OctalMode().IsMatch(parameters.Mode) ? null
                : $"'{parameters.Mode}' is no mode of a file: three or four octal digits, such as 0644.",
            parameters.Command is null && parameters.Shell is null ? null : CommandWords.Validate(parameters.Command, parameters.Shell),
            ValidateTimeout(parameters.TimeoutSeconds),
        }.FirstOrDefault(fault => fault is not null);

    private protected override DeployParameters Settle(DeployParameters parameters, JobSources sources) =>
        parameters with { File = sources.Files.Find(parameters.File)!.Digest.ToString() };

    private protected override WorkOrder? Compose(
        TaskRow task, DeployParameters parameters, bool again, JobSources sources, out string fault)
    {
        if (sources.Files.Find(parameters.File) is not { } file)
        {
            fault = $"the file {parameters.File} was removed from this appliance: upload it again and order anew";
            return null;
        }
        fault = "";
        IReadOnlyList<string> command = parameters.Command is null && parameters.Shell is null ? []
            : CommandWords.Of(parameters.Command, parameters.Shell);
        return new DeployOrder(FileCatalogue.RemoteOf(file), parameters.Unpack, parameters.Path, parameters.Owner, parameters.Group,
            Convert.ToInt32(parameters.Mode, 8), command, parameters.TimeoutSeconds, again);
    }

    private protected override int TimeoutSeconds(DeployParameters parameters) => parameters.TimeoutSeconds;

    [GeneratedRegex(@"^[0-7]{3,4}\z")]
    private static partial Regex OctalMode();
}

using System.Text.Json;
using System.Text.Json.Serialization;
using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Agent.Discovery.HostLists;

/// <summary>A file of the folder of host lists: which nodes, where their list goes, and how. docs/host-lists.md tells all of it.</summary>
/// <param name="Path">The list's file; its folder is there already.</param>
/// <param name="Format">One of <see cref="HostList.Formats"/>; or else <paramref name="Line"/>.</param>
/// <param name="Line">A node's line: a template as <see cref="HostList.WriteTemplate"/> takes it.</param>
/// <param name="Head">What comes before the nodes.</param>
/// <param name="Foot">What comes after them.</param>
/// <param name="Block">
/// True: the list is a part of the file between two marker lines, and the rest is somebody else's. Null: so it is for the formats of files
/// that others write in, too.
/// </param>
/// <param name="Service">Only nodes that offer it.</param>
/// <param name="Params">Only nodes with these parameters, on the service where one is named.</param>
/// <param name="Role">Only nodes of this role; null: all but appliances.</param>
/// <param name="Kind">Only nodes of this kind.</param>
/// <param name="Exclude">Not these nodes: ids or host names.</param>
/// <param name="Mesh">Where they are looked for; null: in this node's mesh.</param>
/// <param name="DelaySeconds">After something happened to a node. One look for all that happens meanwhile.</param>
/// <param name="PeriodSeconds">Between two looks when nothing is heard.</param>
/// <param name="EmptyAfterSeconds">So long nobody else must have been found before nodes are taken off the list for it.</param>
/// <param name="Reload">Run after the list has changed: a program and its arguments; no shell.</param>
/// <param name="ReloadLimitSeconds">It is ended after so long.</param>
/// <param name="Disabled">True: as if the file were not there.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record HostListFile(
    string Path,
    string? Format = null,
    string? Line = null,
    string? Head = null,
    string? Foot = null,
    bool? Block = null,
    string? Service = null,
    IReadOnlyDictionary<string, string>? Params = null,
    string? Role = null,
    string? Kind = null,
    IReadOnlyList<string>? Exclude = null,
    string? Mesh = null,
    int DelaySeconds = 5,
    int PeriodSeconds = 3600,
    int EmptyAfterSeconds = 300,
    IReadOnlyList<string>? Reload = null,
    int ReloadLimitSeconds = 60,
    bool Disabled = false)
{
    private const int LongestSeconds = 7 * 24 * 3600;

    /// <summary>Whether the list is a part of its file.</summary>
    public bool IsBlock => Block ?? Format is "hosts" or "ssh";

    /// <summary>Checks what the types do not.</summary>
    /// <exception cref="JsonException">Something is wrong; the message says what, and what is right.</exception>
    public void Check()
    {
        string? fault = this switch
        {
            _ when !System.IO.Path.IsPathFullyQualified(Path) => $"\"path\" is '{Path}': give the whole path, from / on",
            { Format: null, Line: null } or { Format: not null, Line: not null } => "give either \"format\" or \"line\"",
            { Format: { } format } when !HostList.Formats.Contains(format) =>
            $"there is no format '{format}': {string.Join(", ", HostList.Formats)}, or a \"line\" of your own",
            { EmptyAfterSeconds: < 0 or > LongestSeconds } => $"\"emptyAfterSeconds\" is from 0 to {LongestSeconds}",
            _ when new[] { DelaySeconds, PeriodSeconds, ReloadLimitSeconds }.Any(seconds => seconds is < 1 or > LongestSeconds) =>
                $"\"delaySeconds\", \"periodSeconds\" and \"reloadLimitSeconds\" are from 1 to {LongestSeconds}",
            { Reload: { } words } when words.Count == 0 || words.Any(word => word is null) =>
            "\"reload\" is a list of words: a program and its arguments",
            _ when Exclude?.Any(node => node is null) == true || Params?.Values.Any(value => value is null) == true =>
            "a node of \"exclude\" or a value of \"params\" is null",
            _ => null,
        };
        if (fault is not null)
        {
            throw new JsonException(fault);
        }
    }

    /// <summary>The list's text.</summary>
    /// <param name="nodes">In any order.</param>
    public string Write(IEnumerable<Found> nodes) =>
        WholeLines(Head) + (Format is { } format ? HostList.Write(format, nodes) : HostList.WriteTemplate(Line!, nodes)) + WholeLines(Foot);

    private static string WholeLines(string? text) => string.IsNullOrEmpty(text) || text.EndsWith('\n') ? text ?? "" : text + "\n";
}

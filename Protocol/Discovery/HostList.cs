using System.Globalization;
using System.Net;
using System.Text;

namespace Bootstrap.Protocol.Discovery;

/// <summary>
/// Nodes that were found, as lists that other programs read. The lists are ordered by name and hold nothing that changes by itself, so that
/// equal nodes give equal text. A name that does not do as a host name is left out of the text, and the address stands for it: anybody may
/// answer.
/// </summary>
public static class HostList
{
    /// <summary>The node's parameter that says how many processors it has.</summary>
    public const string Cores = "cores";

    private static readonly Dictionary<string, Func<Line, string>> s_formats = new()
    {
        // Open MPI, mpirun(1): --hostfile.
        ["mpi"] = node => $"{node.Address} slots={node.CoreCount}",
        // distcc(1), HOST SPECIFICATIONS: as many jobs as processors.
        ["distcc"] = node => $"{node.Address}/{node.CoreCount}",
        // Ansible, inventory in INI format.
        ["ansible"] = node => $"{node.Name} ansible_host={node.Address}",
        // ssh_config(5).
        ["ssh"] = node => $"Host {node.Name}\n  HostName {node.Address}",
        // hosts(5).
        ["hosts"] = node => node.Name == node.Address ? $"# {node.Address}" : $"{node.Address} {node.Name}",
    };

    // hosts(5); Ansible's own groups, and the one that its list is of.
    private static readonly HashSet<string> s_taken =
        new(StringComparer.OrdinalIgnoreCase) { "localhost", "ip6-localhost", "ip6-loopback", "all", "ungrouped", "bootstrap" };

    /// <summary>The formats that there are.</summary>
    public static IEnumerable<string> Formats => s_formats.Keys;

    private readonly record struct Line(string Name, string Address, int CoreCount);

    /// <summary>The list's text.</summary>
    /// <param name="format">One of <see cref="Formats"/>.</param>
    /// <param name="nodes">In any order.</param>
    public static string Write(string format, IEnumerable<Found> nodes) =>
        Write(nodes, s_formats[format], format == "ansible" ? "[bootstrap]\n" : "");

    /// <summary>A list by a template, one line a node, in which <c>{name}</c>, <c>{address}</c> and <c>{cores}</c> are replaced.</summary>
    public static string WriteTemplate(string template, IEnumerable<Found> nodes) => Write(nodes, node => template
        .Replace("{name}", node.Name, StringComparison.Ordinal)
        .Replace("{address}", node.Address, StringComparison.Ordinal)
        .Replace("{cores}", node.CoreCount.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal), "");

    /// <summary>A node's name for lists and terminals: of one that is proven what the appliance calls it, of another what it calls itself;
    /// or its address.</summary>
    public static string NameOf(Found node) => Safe(node.IsProven ? node.ProvenName ?? "" : node.Node.HostName, node.Address);

    /// <summary>A name if it does as one in all lists, else the address.</summary>
    public static string Safe(string told, IPAddress address) => IsHostName(told) ? told : address.ToString();

    private static string Write(IEnumerable<Found> nodes, Func<Line, string> format, string head)
    {
        var text = new StringBuilder(head);
        foreach (Line line in nodes.Select(LineOf).OrderBy(line => line.Name, StringComparer.Ordinal)
            .ThenBy(line => line.Address, StringComparer.Ordinal))
        {
            text.Append(format(line)).Append('\n');
        }
        return text.ToString();
    }

    private static Line LineOf(Found found) => new(NameOf(found), found.Address.ToString(), CoresOf(found.Node));

    private static int CoresOf(NodeDescription node) =>
        node.Parameters.TryGetValue(Cores, out string? text) &&
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int cores) && cores is > 0 and <= 4096 ? cores : 1;

    /// <summary>
    /// One label (RFC 1123, 2.1), so that no node takes the place of a machine elsewhere; none that programs read as an address
    /// ("0x7f000001"), nor one that
    /// means something in such a list by itself.
    /// </summary>
    private static bool IsHostName(string name) =>
        name.Length is > 0 and <= 63 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-') && name[0] != '-' && name[^1] != '-' &&
        !IPAddress.TryParse(name, out _) && !s_taken.Contains(name);
}

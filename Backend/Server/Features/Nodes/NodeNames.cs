using System.Text.RegularExpressions;
using Bootstrap.Protocol.Ids;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>Names of nodes are host names: one label of RFC 1123, unique on the appliance.</summary>
internal static partial class NodeNames
{
    /// <summary>What means something else where nodes are named: every node in a selector and in Ansible, and the machine itself.</summary>
    private static readonly string[] s_taken = ["all", "localhost"];

    /// <summary>Whether it is a host name.</summary>
    public static bool IsValid(string name) => Label().IsMatch(name);

    /// <summary>Whether the name means something else where nodes are named.</summary>
    public static bool HasMeaning(string name) => s_taken.Contains(name);

    /// <summary>A free name for a new node: <c>node-</c> and the end of its id, longer where that is taken.</summary>
    public static string Propose(SqliteConnection c, NodeId id)
    {
        string text = id.ToString().Replace("-", "", StringComparison.Ordinal);
        for (int length = Math.Min(6, text.Length); length < Math.Min(text.Length, 58); length++)
        {
            string name = "node-" + text[^length..];
            if (!IsTaken(c, name))
            {
                return name;
            }
        }
        return ("node-" + text)[..Math.Min(63, text.Length + 5)];
    }

    public static bool IsTaken(SqliteConnection c, string name) =>
        c.ExecuteScalar<long>("SELECT count(*) FROM nodes WHERE name = @name", new { name }) > 0;

    [GeneratedRegex(@"\A[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\z")]
    private static partial Regex Label();
}

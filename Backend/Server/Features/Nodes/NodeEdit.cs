using System.Text.RegularExpressions;
using Bootstrap.Protocol.Ids;
using Dapper;
using Microsoft.AspNetCore.Http;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>What a person says of a node; null leaves as it is.</summary>
/// <param name="Name">RFC 1123 label; the host name of the next installation.</param>
/// <param name="Tags">All tags that it is to have.</param>
/// <param name="AddTags">Tags that it is to have beside those it has.</param>
/// <param name="RemoveTags">Tags that it is to have no longer.</param>
/// <param name="Note">Free text, also of several lines.</param>
/// <param name="Location">Where it is: "rack 3, shelf 2".</param>
internal sealed partial record NodeEdit(
    string? Name = null, IReadOnlyList<string>? Tags = null, IReadOnlyList<string>? AddTags = null,
    IReadOnlyList<string>? RemoveTags = null,
    string? Note = null, string? Location = null)
{
    /// <summary>Tags of one node.</summary>
    public const int MaximumTags = 32;

    /// <summary>Characters.</summary>
    public const int MaximumNote = 4000, MaximumLocation = 200;

    /// <summary>Changes a node.</summary>
    /// <returns>Null where that was done; else why nothing was changed.</returns>
    public IResult? Apply(SqliteConnection c, NodeId node, NodeHistory history)
    {
        if (NodeRow.Find(c, node) is not { } row)
        {
            return Problems.NotFound($"There is no node '{node}'.");
        }
        string[] tags = [.. (Tags ?? row.Tags).Concat(AddTags ?? []).Except(RemoveTags ?? []).Order(StringComparer.Ordinal)];
        string name = Name ?? row.Name, note = (Note ?? row.Note).Trim(), location = (Location ?? row.Location).Trim();
        if (!NodeNames.IsValid(name))
        {
            return Problems.Bad($"'{name}' is not a host name: use 1 to 63 of a-z, 0-9 and '-', not starting or ending with '-'.");
        }
        if (name != row.Name && NodeNames.HasMeaning(name))
        {
            return Problems.Bad($"A node cannot be called '{name}': where nodes are chosen, this word means something else.");
        }
        if (tags.Except(row.Tags).FirstOrDefault(t => t == NodeSelector.None) is { } none)
        {
            return Problems.Bad($"A tag cannot be called '{none}': tag:{none} chooses the nodes that have no tag.");
        }
        if (tags.FirstOrDefault(t => !IsTag(t)) is { } wrong)
        {
            return Problems.Bad($"'{wrong}' is not a tag: use 1 to 32 of a-z, 0-9, '-' and '_'.");
        }
        if (tags.Length > MaximumTags)
        {
            return Problems.Bad($"A node has at most {MaximumTags} tags; these are {tags.Length}.");
        }
        if (note.Length > MaximumNote || note.Any(ch => char.IsControl(ch) && ch is not ('\n' or '\r' or '\t')))
        {
            return Problems.Bad(
                $"A note is text of at most {MaximumNote} characters; this one has {note.Length}, or characters that cannot be shown.");
        }
        if (location.Length > MaximumLocation || location.Any(char.IsControl))
        {
            return Problems.Bad(
                $"A location is one line of at most {MaximumLocation} characters; this one has {location.Length}, or more lines.");
        }
        if (name != row.Name && NodeNames.IsTaken(c, name))
        {
            return Problems.Conflict($"Another node is called '{name}': choose another name.");
        }
        string tagWords = string.Join(' ', tags);
        c.Execute("UPDATE nodes SET name = @name, tags = @tagWords, note = @note, location = @location WHERE id = @Id",
            new { name, tagWords, note, location, row.Id });
        history.Edited(c, node, NodeFacts.Name, row.Name, name);
        history.Edited(c, node, NodeFacts.Tags, row.TagWords, tagWords);
        history.Edited(c, node, NodeFacts.Location, row.Location, location);
        return null;
    }

    /// <summary>Whether a tag can be called so.</summary>
    public static bool IsTag(string text) => Tag().IsMatch(text);

    [GeneratedRegex(@"^[a-z0-9_-]{1,32}\z")]
    private static partial Regex Tag();
}

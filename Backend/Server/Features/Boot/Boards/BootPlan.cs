using Bootstrap.Imaging.BootSets;

namespace Bootstrap.Server.Features.Boot.Boards;

/// <summary>What a board is given in one boot. It stays as it is until that boot is over.</summary>
/// <param name="Board">Who: a node's name, or what is known of a board that never introduced itself.</param>
/// <param name="FromNetwork">False: it boots its own disk.</param>
/// <param name="Reason">Why, in words that go on after the board's name: "installs debian-12 because job … ordered it".</param>
/// <param name="Set">Where its firmware and kernel come from; null: what came with the program.</param>
/// <param name="Folders">Names of the folders in which an administrator may have put files for this board.</param>
internal sealed record BootPlan(string Board, bool FromNetwork, string Reason, BootSet? Set, IReadOnlyList<string> Folders)
{
    /// <summary>As a comment of a file that a board's firmware reads: one line of ASCII, whatever people have named their images.</summary>
    public string Comment => string.Concat($"{Board} {Reason}".Select(c => char.IsAscii(c) && !char.IsControl(c) ? c : '?'));
}

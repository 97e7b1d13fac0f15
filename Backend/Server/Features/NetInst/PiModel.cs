using Bootstrap.Protocol;

namespace Bootstrap.Server.Features.NetInst;

/// <summary>Families of Raspberry Pi boards, which a boot set is chosen for.</summary>
internal static class PiModel
{
    /// <summary>Any board.</summary>
    public const string All = "all";

    public static readonly IReadOnlyList<string> Names = [All, "pi3", "pi4", "pi5"];

    /// <summary>Reads a revision code; null for boards of no such family.</summary>
    public static string? Of(uint revision) => PiRevision.Read(revision)?.Family switch
    {
        PiFamily.Pi3 => "pi3",
        PiFamily.Pi4 => "pi4",
        PiFamily.Pi5 => "pi5",
        _ => null,
    };
}

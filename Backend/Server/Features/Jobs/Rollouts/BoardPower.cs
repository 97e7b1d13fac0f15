using Bootstrap.Protocol;

namespace Bootstrap.Server.Features.Jobs.Rollouts;

/// <summary>What boards draw when all their processors work, without what is plugged into them, in watts. Measured by the Pi Dramble
/// (pidramble.com, "Power Consumption Benchmarks") up to the Pi 4, and rounded up.</summary>
internal static class BoardPower
{
    /// <summary>Of a board that is not known: all that a port of Power over Ethernet gives (IEEE 802.3af).</summary>
    public const double Unknown = 15;

    /// <summary>By how a model's name begins; the first that fits counts.</summary>
    private static readonly (string Model, double Watts)[] s_models =
    [
        ("Zero 2", 3), ("Zero", 2), ("Model", 3), ("Compute Module 5", 12), ("Compute Module 4", 7), ("Compute Module 3", 4),
        ("Compute Module", 3), ("5", 12), ("4", 7), ("3 Model B Plus", 6), ("3", 4), ("2", 3),
    ];

    /// <summary>What a board draws at most; null: nothing is known of it.</summary>
    public static double WattsOf(PiRevision? board)
    {
        const string maker = "Raspberry Pi ";
        if (board?.Model is not { Length: > 0 } model)
        {
            return Unknown;
        }
        string name = model.StartsWith(maker, StringComparison.Ordinal) ? model[maker.Length..] : model;
        return s_models.Where(known => name.StartsWith(known.Model, StringComparison.Ordinal)).Select(known => known.Watts)
            .FirstOrDefault(Unknown);
    }
}

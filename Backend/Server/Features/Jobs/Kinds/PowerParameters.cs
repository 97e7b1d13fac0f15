using Bootstrap.Protocol.Link;

namespace Bootstrap.Server.Features.Jobs.Kinds;

/// <summary>Parameters of jobs by which a node's system goes.</summary>
/// <param name="GraceSeconds">Whoever is logged in is warned, and has so long; 0: nobody is, and it is done at once.</param>
/// <param name="Message">What he is told beside what happens.</param>
internal sealed record PowerParameters(int GraceSeconds = 0, string Message = "")
{
    private const int MaximumGrace = 3600;
    private const int MaximumMessage = 500;

    /// <summary>Of an order; null: none.</summary>
    public UserWarning? Warning => GraceSeconds > 0 ? new UserWarning(GraceSeconds, Message) : null;

    public TimeSpan Grace => TimeSpan.FromSeconds(GraceSeconds);

    /// <summary>What is wrong, in one sentence; null: nothing.</summary>
    public string? Validate() =>
        GraceSeconds is < 0 or > MaximumGrace ? $"A grace of {GraceSeconds} seconds is not possible: 0 to {MaximumGrace}."
        : Message.Length > MaximumMessage ? $"The message has {Message.Length} characters; {MaximumMessage} are possible."
        : Message.Any(char.IsControl) ? "The message must be one line, without control characters: it is written to terminals."
        : Message.Length > 0 && GraceSeconds == 0 ? "A message needs a grace ('graceSeconds'): without one nobody has the time to read it."
        : null;
}

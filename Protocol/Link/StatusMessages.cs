using Bootstrap.Protocol.Status;

namespace Bootstrap.Protocol.Link;

// ---- node → Backend ------------------------------------------------------------------------------------------------

/// <summary>A Slave asks for a certificate to serve its status with, for the address that it connects from.</summary>
/// <param name="Request">PKCS #10 (RFC 2986) in DER, ECDSA P-256; its subject is ignored.</param>
public sealed record AskStatusCertificate(byte[] Request) : LinkMessage;

/// <summary>What a node tells those who watch it by way of the appliance (<see cref="WatchStatus"/>).</summary>
public sealed record StatusReport(StatusMessage Status) : LinkMessage;

/// <summary>What a Slave measured, for the history: comes each minute, and all that waited when the link was down.</summary>
/// <param name="Minutes">The oldest first; at most <see cref="Most"/>.</param>
public sealed record StatusMinutes(IReadOnlyList<MinuteSummary> Minutes) : LinkMessage
{
    /// <summary>Of more, the oldest are lost.</summary>
    public const int Most = 60;

    /// <summary>These behind earlier ones.</summary>
    public StatusMinutes After(StatusMinutes earlier) => new([.. earlier.Minutes.Concat(Minutes).TakeLast(Most)]);
}

/// <summary>Which of its rules' conditions are met on a Slave: all of them, each time that one begins or ends.</summary>
/// <param name="Conditions">At most <see cref="WatchAlerts.Most"/>.</param>
public sealed record MetConditions(IReadOnlyList<MetCondition> Conditions) : LinkMessage;

// ---- Backend → node ------------------------------------------------------------------------------------------------

/// <summary>Answers <see cref="AskStatusCertificate"/>.</summary>
/// <param name="Certificate">DER; common name <see cref="NameOf"/>, and the address as its alternative name.</param>
public sealed record StatusCertificate(byte[] Certificate) : LinkMessage
{
    /// <summary>The common name of a node's status certificate: it is no node's id, and opens no link.</summary>
    public static string NameOf(string node) => $"status of {node}";
}

/// <summary>Send <see cref="StatusReport"/>s over this link: the whole state first. It takes the place of an earlier one.</summary>
/// <param name="Seconds">For so long, unless it is asked again; 0: no more.</param>
/// <param name="IntervalSeconds">Not more often than that.</param>
/// <param name="Metrics">These alone; null: everything.</param>
public sealed record WatchStatus(int Seconds, int IntervalSeconds, IReadOnlyList<string>? Metrics) : LinkMessage;

/// <summary>Whoever watches the node by a token of this holder's watches no longer.</summary>
/// <param name="Holder">As in <see cref="StatusToken.Holder"/>.</param>
public sealed record EndStatus(string Holder) : LinkMessage;

/// <summary>Tell which of these conditions are met (<see cref="MetConditions"/>): at once, and whenever that changes. They take the place
/// of earlier ones.</summary>
/// <param name="Rules">By the rule's name; at most <see cref="Most"/>.</param>
public sealed record WatchAlerts(IReadOnlyDictionary<string, AlertCondition> Rules) : LinkMessage
{
    /// <summary>Rules of one appliance.</summary>
    public const int Most = 100;
}

using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Bootstrap.Support;

/// <summary>What a board is given of its appliance.</summary>
/// <param name="Link">Where to enrol and connect.</param>
/// <param name="Authority">The CA that signs for it.</param>
/// <param name="JoinToken">To enrol with.</param>
public sealed record ApplianceInfo(IPEndPoint Link, X509Certificate2 Authority, string JoinToken);

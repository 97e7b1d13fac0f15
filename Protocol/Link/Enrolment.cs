namespace Bootstrap.Protocol.Link;

/// <summary>
/// A board asks for its certificate: <c>POST /enrol</c> on the link port, over TLS whose server certificate the node has checked
/// against the CA it was given. No client certificate is needed for this one request.
/// </summary>
/// <param name="JoinToken">The token that came with the CA: it shows that the board was started from this appliance's boot files.</param>
/// <param name="CertificateRequest">PKCS #10 (RFC 2986) in DER, ECDSA P-256; its subject is ignored.</param>
/// <param name="Inventory">What the board is; its id is the name asked for.</param>
public sealed record EnrolRequest(string JoinToken, byte[] CertificateRequest, Inventory Inventory)
{
    /// <summary>Path on the link port.</summary>
    public const string Path = "/enrol";
}

/// <summary>The answer to <see cref="EnrolRequest"/>.</summary>
/// <param name="Certificate">DER of the node's certificate, common name = node id; empty: a person must approve first, ask again later.
/// (Never null, which the generated serializer would write as an empty string all the same.)</param>
/// <param name="Reason">Why there is none yet, for the console; empty otherwise.</param>
/// <param name="RetryAfterSeconds">When to ask again; 0 with a certificate.</param>
public sealed record EnrolResponse(byte[] Certificate, string Reason, int RetryAfterSeconds);

using System.Net;
using System.Net.NetworkInformation;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Features.Trust;
using Microsoft.Extensions.Logging;

namespace Bootstrap.Server.Features.Monitoring.Status;

/// <summary>
/// Gives nodes the certificates by which browsers know them. A certificate says that the node is the machine at one address: the one that
/// its link comes from, where the node says itself that it has it (a router that translates addresses is not the node), and never one of
/// the appliance's own, by which a node could pass for the appliance.
/// </summary>
internal sealed partial class StatusCertificates(CertificateAuthority authority, ILogger<StatusCertificates> logger) : ILinkFeature
{
    public void Introduced(LinkSession session)
    {
    }

    public bool Heard(LinkSession session, LinkMessage message)
    {
        if (message is not AskStatusCertificate ask)
        {
            return false;
        }
        PublicKey key = CertificateAuthority.KeyOf(ask.Request) ??
            throw new JsonException("the certificate request is not a sound PKCS #10 request for an ECDSA P-256 key");
        if (IsItsOwn(session))
        {
            using X509Certificate2 certificate = authority.IssueStatus(session.Node, session.Address, key);
            session.Send(new StatusCertificate(certificate.RawData));
        }
        else
        {
            LogRefused(session.Node, session.Address);
        }
        return true;
    }

    private static bool IsItsOwn(LinkSession session)
    {
        IPAddress address = session.Address;
        if (IPAddress.IsLoopback(address))
        {
            return IPAddress.IsLoopback(session.LocalAddress);
        }
        return session.Hello!.Inventory.Interfaces.Any(i => i.Addresses.Any(own => own.Split('/')[0] == address.ToString()))
            && !NetworkInterface.GetAllNetworkInterfaces().Any(i =>
                i.GetIPProperties().UnicastAddresses.Any(own => own.Address.Equals(address)));
    }

    [LoggerMessage(LogLevel.Information,
        "{Node} gets no certificate for its status: {Address} is not its own address; it is watched by way of the appliance")]
    private partial void LogRefused(Bootstrap.Protocol.Ids.NodeId node, IPAddress address);
}

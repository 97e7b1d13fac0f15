using System.Security.Cryptography.X509Certificates;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>Stands before what nodes fetch on the link's port: the certificate must be of a key that is tied to a node.</summary>
internal static class NodeGuard
{
    public static TBuilder RequireNode<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.AddEndpointFilter(async (context, next) =>
        {
            HttpContext http = context.HttpContext;
            if (await AdmitAsync(http) is null)
            {
                return Results.Problem("This is for nodes whose keys are approved.", statusCode: StatusCodes.Status403Forbidden);
            }
            return await next(context);
        });

    /// <summary>Whose request this is, by the certificate of its connection; null: no node's.</summary>
    public static async Task<NodeId?> AdmitAsync(HttpContext http)
    {
        X509Certificate2? certificate = await http.Connection.GetClientCertificateAsync();
        if (http.RequestServices.GetRequiredService<NodeKeys>().Find(certificate) is not { } node)
        {
            return null;
        }
        Admit(http, node, certificate!);
        return node;
    }

    /// <summary>The certificate is a node's: the connection is that node's, and the request goes on as long as the certificate is
    /// good.</summary>
    public static void Admit(HttpContext http, NodeId node, X509Certificate2 certificate)
    {
        Digest key = Protocol.Trust.FingerprintOf(certificate.PublicKey);
        ConnectionBudget.Prove(http, key.ToString(), key.ToString(), ConnectionBudget.OfNode);
        NodeKeys keys = http.RequestServices.GetRequiredService<NodeKeys>();
        // The certificate itself may be gone, with its connection, when it is looked at again.
        DateTimeOffset from = certificate.NotBefore.ToUniversalTime(), until = certificate.NotAfter.ToUniversalTime();
        http.RequestServices.GetRequiredService<LiveRequests>().Watch(http, () => keys.IsStill(node, key, from, until));
    }
}

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
            if (http.RequestServices.GetRequiredService<NodeKeys>().Find(await http.Connection.GetClientCertificateAsync()) is null)
            {
                return Results.Problem("This is for nodes whose keys are approved.", statusCode: StatusCodes.Status403Forbidden);
            }
            ConnectionBudget.Prove(http);
            return await next(context);
        });
}

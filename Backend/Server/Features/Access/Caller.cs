using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bootstrap.Server.Features.Access;

/// <summary>Whose request this is.</summary>
/// <param name="Name">Of the person.</param>
/// <param name="Role">What he may do with the secret that he sent: no more than himself.</param>
internal sealed record Caller(string Name, Role Role)
{
    /// <summary>The caller of a request that has been let through.</summary>
    public static Caller Of(HttpContext context) => context.Features.GetRequiredFeature<Caller>();

    public static void Set(HttpContext context, Caller caller) => context.Features.Set(caller);
}

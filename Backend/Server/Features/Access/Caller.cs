using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bootstrap.Server.Features.Access;

/// <summary>Whose request this is, and by which credential.</summary>
/// <param name="Name">Of the person.</param>
/// <param name="Role">What he may do with the credential that he sent: no more than himself.</param>
/// <param name="Kind">A browser's session speaks for the person himself; a token for a program of his.</param>
/// <param name="Credential">SHA-256 of the secret: by it the credential is found again.</param>
/// <param name="ExpiresAt">Unix milliseconds; null: never.</param>
internal sealed record Caller(string Name, Role Role, SecretKind Kind, string Credential, long? ExpiresAt)
{
    /// <summary>The caller of a request that has been let through.</summary>
    public static Caller Of(HttpContext context) => context.Features.GetRequiredFeature<Caller>();

    public static void Set(HttpContext context, Caller caller) => context.Features.Set(caller);
}

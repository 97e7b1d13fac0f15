using Bootstrap.Server.Features.Events;
using Bootstrap.Server.Features.Images;
using Bootstrap.Server.Features.Profiles;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Settings;

/// <summary><c>/policy</c>: what the appliance does by itself.</summary>
internal static class PolicyEndpoints
{
    /// <param name="InstallNewBoards">Architecture → image, by digest or name.</param>
    /// <param name="ApproveNewBoards">As for <see cref="Policy"/>.</param>
    internal sealed record NewPolicy(
        IReadOnlyDictionary<string, string> InstallNewBoards, IReadOnlyList<string> AuthorizedKeys, string? Profile = null,
        bool ApproveNewBoards = false);

    public static void MapPolicy(this IEndpointRouteBuilder api)
    {
        api.MapGet("/policy", (PolicyStore policy) => policy.Get());
        api.MapPut("/policy", (NewPolicy request, PolicyStore store, ImageCatalogue images, ProfileStore profiles, EventHub events) =>
        {
            var chosen = new Dictionary<string, Protocol.Ids.Digest>();
            foreach ((string architecture, string wanted) in request.InstallNewBoards)
            {
                if (images.Find(wanted) is not { } image)
                {
                    return Problems.Bad($"There is no image '{wanted}'.");
                }
                if (image.Architecture != architecture)
                {
                    return Problems.Bad($"Image '{image.Name}' is for {image.Architecture}, not for {architecture}.");
                }
                chosen[architecture] = image.Digest;
            }
            if (request.AuthorizedKeys.FirstOrDefault(key => !LooksLikeKey(key)) is { } wrong)
            {
                return Problems.Bad($"'{wrong[..Math.Min(40, wrong.Length)]}…' is not an OpenSSH public key, which is one line such as " +
                    "'ssh-ed25519 AAAA… name'.");
            }
            if (request.Profile is { } profile && profiles.Find(profile) is null)
            {
                return Problems.Bad($"There is no profile '{profile}'.");
            }
            var policy = new Policy(chosen, request.AuthorizedKeys, request.Profile, request.ApproveNewBoards);
            store.Set(policy);
            events.Publish("policy", policy);
            return Results.Ok(policy);
        }).WithSummary("Change the policy");
    }

    /// <summary>Whether it is an OpenSSH public key, as far as that can be seen.</summary>
    internal static bool LooksLikeKey(string key) =>
        key.Length < 16_384 && !key.Contains('\n', StringComparison.Ordinal) && key.Split(' ') is [var type, var data, ..] &&
        (type.StartsWith("ssh-", StringComparison.Ordinal) || type.StartsWith("ecdsa-", StringComparison.Ordinal)
            || type.StartsWith("sk-", StringComparison.Ordinal)) &&
        Convert.TryFromBase64String(data, new byte[data.Length], out _);
}

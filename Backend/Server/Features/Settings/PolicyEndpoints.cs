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
    /// <param name="BurnIn">As for <see cref="Policy"/>: of boards that come from now on.</param>
    internal sealed record NewPolicy(
        IReadOnlyDictionary<string, string> InstallNewBoards, IReadOnlyList<string> AuthorizedKeys, string? Profile = null,
        bool ApproveNewBoards = false, string? BurnIn = null);

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/policy", (PolicyStore policy) => policy.Get());
        api.MapPut("/policy", (NewPolicy request, PolicyStore store, ImageCatalogue images, ProfileStore profiles, EventHub events,
            TimeProvider clock) =>
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
                if (image.Fault is { } fault)
                {
                    return Problems.Bad($"Image '{image.Name}' cannot be installed on nodes: {fault}.");
                }
                chosen[architecture] = image.Digest;
            }
            if (request.AuthorizedKeys.Select(ProfileRules.Key).FirstOrDefault(fault => fault.Length > 0) is { } wrong)
            {
                return Problems.Bad($"{wrong}.");
            }
            if (request.Profile is { } profile && profiles.Find(profile) is null)
            {
                return Problems.Bad($"There is no profile '{profile}'.");
            }
            if (request.BurnIn is { } burnIn && !Policy.BurnInSets.Contains(burnIn))
            {
                return Problems.Bad($"There is no burn-in '{burnIn}': it is one of {string.Join(", ", Policy.BurnInSets)}.");
            }
            long? since = request.BurnIn is null ? null : store.Get().BurnInSince ?? clock.GetUtcNow().ToUnixTimeMilliseconds();
            var policy = new Policy(
                chosen, request.AuthorizedKeys, request.Profile, request.ApproveNewBoards, request.BurnIn, since);
            store.Set(policy);
            events.Publish("policy", policy);
            return Results.Ok(policy);
        }).WithSummary("Change the policy");
    }
}

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Cli.Api;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Cli.Top;

/// <summary>Tokens that the appliance makes.</summary>
internal sealed class ApplianceTokens(ApplianceClient client) : ITokenSource
{
    private sealed record Answer(IReadOnlyDictionary<string, string> Tokens);

    public async Task<IReadOnlyDictionary<string, string>> CreateAsync(IReadOnlyList<string> nodes, CancellationToken cancellation) =>
        (await client.PostAsync<Answer>("status/tokens", new { nodes }, cancellation)).Tokens;
}

/// <summary>Tokens that are signed here, by whoever may read the appliance's key: where the appliance itself does not run.</summary>
/// <param name="authority">The CA's certificate with its key.</param>
internal sealed class OwnTokens(X509Certificate2 authority) : ITokenSource
{
    private readonly string _holder = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    public Task<IReadOnlyDictionary<string, string>> CreateAsync(IReadOnlyList<string> nodes, CancellationToken cancellation)
    {
        using ECDsa key = authority.GetECDsaPrivateKey()!;
        long until = (TimeProvider.System.GetUtcNow() + StatusToken.Lifetime).ToUnixTimeSeconds();
        return Task.FromResult<IReadOnlyDictionary<string, string>>(
            nodes.ToDictionary(node => node, node => new StatusToken(node, Guid.NewGuid(), until, _holder).Sign(key)));
    }
}

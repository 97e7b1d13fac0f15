using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using Bootstrap.Protocol;

namespace Bootstrap.Link;

/// <summary>Where an appliance may be: an address and the TCP port of enrolment and link.</summary>
public readonly record struct ApplianceEndpoint(IPAddress Address, int Port)
{
    /// <summary>Reads <c>10.0.0.1</c>, <c>10.0.0.1:8444</c>, <c>fd00::1</c> or <c>[fd00::1]:8444</c>; names are not looked up.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out ApplianceEndpoint endpoint)
    {
        endpoint = default;
        if (!IPEndPoint.TryParse(text ?? "", out IPEndPoint? parsed))
        {
            return false;
        }
        endpoint = new ApplianceEndpoint(parsed.Address, parsed.Port == 0 ? ServicePorts.Link : parsed.Port);
        return true;
    }

    /// <summary>A URL on this endpoint.</summary>
    public Uri Url(string scheme, string path) => new UriBuilder(scheme, Address.ToString(), Port, path).Uri;

    public override string ToString() => new IPEndPoint(Address, Port).ToString();

    /// <summary>Reads a discovered service's port; the usual one where it names none that can be.</summary>
    internal static int PortOf(IReadOnlyDictionary<string, string> parameters, string key) =>
        parameters.TryGetValue(key, out string? text) &&
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int port) && port is > 0 and < 65536
            ? port
            : ServicePorts.Link;
}

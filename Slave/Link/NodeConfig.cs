using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Link;

/// <summary>What <see cref="NodeFiles"/> hold of the appliance: its CA and what it told the node.</summary>
public sealed record NodeConfig(X509Certificate2 Authority, NodeSettings Settings)
{
    /// <summary>Reads the CA's certificate alone.</summary>
    /// <exception cref="IOException">It is missing or cannot be understood.</exception>
    public static X509Certificate2 LoadAuthority(string folder)
    {
        string path = Path.Combine(folder, NodeFiles.Authority);
        try
        {
            return X509Certificate2.CreateFromPem(File.ReadAllText(path));
        }
        catch (CryptographicException e)
        {
            throw new IOException($"reading {path}: it holds no certificate in PEM ({e.Message})", e);
        }
    }

    /// <summary>Reads the folder.</summary>
    /// <exception cref="IOException">A file is missing or cannot be understood; the message says which.</exception>
    public static NodeConfig Load(string folder)
    {
        string settings = Path.Combine(folder, NodeFiles.Settings);
        try
        {
            NodeSettings? read = JsonSerializer.Deserialize(File.ReadAllText(settings), ProtocolJson.Default.NodeSettings);
            return new NodeConfig(
                LoadAuthority(folder),
                read ?? throw new IOException($"reading {settings}: it is empty"));
        }
        catch (JsonException e)
        {
            throw new IOException($"reading {settings}: {e.Message}", e);
        }
    }
}

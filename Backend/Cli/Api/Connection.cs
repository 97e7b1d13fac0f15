using System.Text.Json;

namespace Bootstrap.Cli.Api;

/// <summary>How this user reaches his appliance: kept by <c>bootstrap login</c>, mode 0600.</summary>
/// <param name="Url">"https://10.0.0.1:8443".</param>
/// <param name="Token">API token, or the secret of a session.</param>
/// <param name="Authority">The appliance's CA certificate, PEM: the only one that is believed.</param>
internal sealed record Connection(Uri Url, string Token, string Authority)
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    /// <summary>$BOOTSTRAP_CONNECTION, else bootstrap/connection.json in the user's configuration folder.</summary>
    public static string DefaultPath =>
        Environment.GetEnvironmentVariable("BOOTSTRAP_CONNECTION") is { Length: > 0 } named
            ? named
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData,
                Environment.SpecialFolderOption.DoNotVerify),
                "bootstrap", "connection.json");

    /// <summary>Reads the kept connection.</summary>
    /// <exception cref="CliException">There is none, or it cannot be read.</exception>
    public static Connection Load(string path) => Find(path)
        ?? throw new CliException("no appliance is known here yet: run `bootstrap login https://HOST:8443 --token-file FILE` first");

    /// <summary>Reads the kept connection; null: there is none.</summary>
    /// <exception cref="CliException">It cannot be read.</exception>
    public static Connection? Find(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<Connection>(File.ReadAllText(path), s_json) ?? throw new JsonException();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException e)
        {
            throw new CliException($"{path} is damaged: run `bootstrap login` again", e);
        }
    }

    public void Save(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        using FileStream file = PrivateFile.Create(path);
        JsonSerializer.Serialize(file, this, s_json);
    }
}

/// <summary>Something a command cannot do; the message is one sentence for the user.</summary>
internal sealed class CliException : Exception
{
    public CliException(string message)
        : base(message)
    {
    }

    public CliException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>What the program ends with: 1, or 2 where what the user asked for names nothing to work on.</summary>
    public int ExitCode { get; init; } = 1;
}

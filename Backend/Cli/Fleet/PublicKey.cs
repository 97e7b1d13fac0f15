using Bootstrap.Cli.Api;
using Bootstrap.Protocol;

namespace Bootstrap.Cli.Fleet;

/// <summary>An OpenSSH public key.</summary>
/// <param name="Line">As authorized_keys has it.</param>
/// <param name="Body">Type and base64, without the comment: what makes it this key.</param>
/// <param name="Fingerprint">"SHA256:…", as ssh tells it.</param>
/// <param name="Identity">What ssh needs to sign in with it: the private key's file; where that is not beside it, the public one, for an
/// agent.</param>
internal sealed record PublicKey(string Line, string Body, string Fingerprint, string Identity)
{
    private static readonly string[] s_defaults = ["id_ed25519.pub", "id_ecdsa.pub", "id_rsa.pub"];

    /// <summary>Reads a key.</summary>
    /// <param name="file">Null: the first of the usual ones in ~/.ssh.</param>
    /// <exception cref="CliException">There is none, or the file is none; exit code 2.</exception>
    public static PublicKey Load(FileInfo? file)
    {
        string folder = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".ssh");
        string path = file?.FullName ?? s_defaults.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists)
            ?? throw Usage($"there is no key in {folder} yet: make one with ssh-keygen, or name one with --key FILE.pub");
        string[] lines;
        try
        {
            lines = [.. File.ReadLines(path).Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#').Take(2)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Usage($"the key {path} cannot be read: {e.Message}");
        }
        // A private key is the mistake that is near: nothing of it may leave this machine.
        if (lines is not [var line])
        {
            throw Usage($"{path} is not an OpenSSH public key: name the file that ends in .pub");
        }
        if (!SshPublicKey.TryParse(line, out SshPublicKey? key, out string? fault))
        {
            throw Usage($"the key in {path} {fault}");
        }
        string secret = path.EndsWith(".pub", StringComparison.Ordinal) ? path[..^4] : path;
        return new PublicKey(line, $"{key.Type} {key.Base64}", key.Fingerprint, File.Exists(secret) ? secret : path);
    }

    private static CliException Usage(string sentence) => new(sentence) { ExitCode = 2 };
}

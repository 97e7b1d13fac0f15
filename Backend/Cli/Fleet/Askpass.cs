using System.Security.Cryptography;
using System.Text;

namespace Bootstrap.Cli.Fleet;

/// <summary>
/// Gives ssh a password: ssh starts $SSH_ASKPASS, which is this program again, and reads what it prints. The password lies in a file
/// that only its user can read, in memory where the machine has such a folder, until this is disposed of; it is no argument of any
/// program and in no environment.
/// </summary>
internal sealed class Askpass : IDisposable
{
    private const string FileVariable = "BOOTSTRAP_ASKPASS_FILE";

    private readonly string _file;

    public Askpass(string password)
    {
        string folder = new[] { System.Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR"), "/dev/shm" }.FirstOrDefault(Directory.Exists)
            ?? Path.GetTempPath();
        _file = Path.Combine(folder, $"bootstrap-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}");
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite
        };
        using var stream = new FileStream(_file, options);
        stream.Write(Encoding.UTF8.GetBytes(password));
        Environment = new Dictionary<string, string>
        {
            ["SSH_ASKPASS"] = System.Environment.ProcessPath!,
            ["SSH_ASKPASS_REQUIRE"] = "force",
            [FileVariable] = _file,
        };
    }

    /// <summary>For ssh.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; }

    /// <summary>Answers ssh, if it is ssh that started this program.</summary>
    /// <param name="arguments">ssh's question.</param>
    /// <returns>The exit code; null: it was not ssh.</returns>
    public static int? Answer(string[] arguments)
    {
        if (System.Environment.GetEnvironmentVariable(FileVariable) is not { Length: > 0 } file)
        {
            return null;
        }
        // Whether to believe a new host key is not answered with a password.
        if (arguments is not [var question] || question.Contains("yes/no", StringComparison.Ordinal) || !File.Exists(file))
        {
            return 1;
        }
        using Stream output = Console.OpenStandardOutput();
        output.Write([.. File.ReadAllBytes(file), (byte)'\n']);
        return 0;
    }

    public void Dispose() => File.Delete(_file);
}

using System.Diagnostics;
using System.Text;

namespace Bootstrap.Protocol.Tests;

/// <summary>Keys are made by ssh-keygen, and damaged in every way that people damage them.</summary>
public sealed class SshPublicKeyTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("test-keys-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("-t", "ed25519")]
    [InlineData("-t", "rsa", "-b", "2048")]
    [InlineData("-t", "rsa", "-b", "4096")]
    [InlineData("-t", "ecdsa", "-b", "256")]
    [InlineData("-t", "ecdsa", "-b", "384")]
    [InlineData("-t", "ecdsa", "-b", "521")]
    public void A_key_of_ssh_keygen_is_taken_whole_and_in_no_piece(params string[] options)
    {
        string line = Generate(options);
        Assert.True(SshPublicKey.TryParse(line, out SshPublicKey? key, out _));
        Assert.Equal((line.Split(' ')[0], "ada at home"), (key.Type, key.Comment));
        Assert.Equal(Run("ssh-keygen", "-l", "-f", Path.Combine(_folder, "key.pub")).Split(' ')[1], key.Fingerprint);

        byte[] blob = Convert.FromBase64String(key.Base64);
        for (int length = 0; length < blob.Length; length++)
        {
            Assert.False(SshPublicKey.TryParse($"{key.Type} {Convert.ToBase64String(blob[..length])} x", out _, out string? fault));
            Assert.Matches("cut short|another type|is no base64|not an OpenSSH public key", fault);
        }
        Assert.False(SshPublicKey.TryParse($"{key.Type} {Convert.ToBase64String([.. blob, 0])}", out _, out _));
        // As it is cut where a line of a terminal ends.
        Assert.False(SshPublicKey.TryParse(line[..60], out _, out _));
    }

    [Theory]
    [InlineData("ssh-rsa")]
    [InlineData("ecdsa-sha2-nistp256")]
    [InlineData("ssh-ed448")]
    public void The_type_that_is_said_must_be_the_type_of_the_key(string said)
    {
        string base64 = Generate("-t", "ed25519").Split(' ')[1];
        Assert.False(SshPublicKey.TryParse($"{said} {base64} ada", out _, out string? fault));
        Assert.Equal($"is said to be {said}, and holds another type of key", fault);
    }

    [Theory]
    [InlineData("sk-ssh-ed25519@openssh.com", true)]
    [InlineData("sk-ssh-ed25519@openssh.com", false)]
    [InlineData("ssh-dss", false)]
    [InlineData("ssh-ed25519-cert-v01@openssh.com", false)]
    public void Keys_of_security_keys_are_taken_and_what_sshd_does_not_take_is_refused(string type, bool isWhole)
    {
        byte[] blob = [.. Field(Encoding.ASCII.GetBytes(type)), .. Field(new byte[32]), .. isWhole ? Field("ssh:"u8.ToArray()) : []];
        Assert.Equal(isWhole, SshPublicKey.TryParse($"{type} {Convert.ToBase64String(blob)}", out _, out _));
    }

    [Fact]
    public void A_point_that_is_not_on_its_curve_is_no_key()
    {
        string[] words = Generate("-t", "ecdsa", "-b", "256").Split(' ');
        byte[] blob = Convert.FromBase64String(words[1]);
        blob[^1] ^= 1;
        Assert.False(SshPublicKey.TryParse($"{words[0]} {Convert.ToBase64String(blob)}", out _, out _));
    }

    [Fact]
    public void RSA_that_is_too_short_for_sshd_is_refused_with_its_length()
    {
        byte[] modulus = [0, 0x80, .. new byte[95]];
        modulus[^1] = 1;
        byte[] blob = [.. Field("ssh-rsa"u8.ToArray()), .. Field([1, 0, 1]), .. Field(modulus)];
        Assert.False(SshPublicKey.TryParse($"ssh-rsa {Convert.ToBase64String(blob)}", out _, out string? fault));
        Assert.StartsWith("has 768 bits", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ssh-ed25519")]
    [InlineData("-----BEGIN OPENSSH PRIVATE KEY-----")]
    [InlineData("ssh-ed25519 AAAA\nssh-ed25519 AAAA")]
    [InlineData("ssh-ed25519 not*base64")]
    public void What_is_no_line_of_a_key_is_refused_in_words(string line)
    {
        Assert.False(SshPublicKey.TryParse(line, out _, out string? fault));
        Assert.NotEmpty(fault);
    }

    private static byte[] Field(byte[] bytes) => [0, 0, (byte)(bytes.Length >> 8), (byte)bytes.Length, .. bytes];

    private string Generate(params string[] options)
    {
        string file = Path.Combine(_folder, "key");
        Run("ssh-keygen", ["-q", "-N", "", "-C", "ada at home", "-f", file, .. options]);
        return File.ReadAllText(file + ".pub").Trim();
    }

    private static string Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output;
    }
}

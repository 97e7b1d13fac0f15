namespace Bootstrap.Rack.Rom;

/// <summary>Files of a TFTP server, below the prefix that the ROM has settled on.</summary>
internal sealed class NetworkSource(TftpClient tftp, (string Name, string Value)[] options, string prefix) : IBootSource
{
    public string Name => "network";

    public Task<byte[]?> FetchAsync(string path) => tftp.FetchAsync(prefix + path, options);

    public Task<bool> ExistsAsync(string path) => tftp.ExistsAsync(prefix + path, options);
}

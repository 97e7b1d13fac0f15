using System.Net;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot;

/// <summary>Who asks for a boot file.</summary>
/// <param name="Address">The address that the request came from.</param>
/// <param name="Mac">Its hardware address, where the neighbour table knows it.</param>
public sealed record BootClient(IPAddress Address, MacAddress? Mac);

/// <summary>Where boot files come from: templates, per-board overrides, shared firmware. Called from many threads at once.</summary>
public interface IBootFiles
{
    /// <summary>Finds and opens a file; the caller disposes it. Null if there is none, which is normal.</summary>
    /// <param name="client">Who asks: the answer may differ from board to board.</param>
    /// <param name="path">A path that <see cref="BootPath.TryNormalise"/> has passed.</param>
    /// <exception cref="IOException">The file exists but cannot be read.</exception>
    BootFile? Find(BootClient client, string path);
}

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Bootstrap.Agent.Commands;
using Bootstrap.Board;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent.Deploy;

/// <summary>
/// <c>bootstrap-slave --deploy</c>: puts a file, or what is in an archive, in its place, and says for each what became of it. Files appear
/// whole or not at all, and are not written where they are so already. Where users can write, none of them turns that to another file
/// (<see cref="HeldFolder"/>).
/// </summary>
internal static class Deployment
{
    /// <summary>Does it.</summary>
    /// <param name="json">A <see cref="DeployOrder"/>.</param>
    /// <param name="appliance">Place of its link.</param>
    /// <param name="config">Folder with this node's identity.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string json, string appliance, string config, TimeProvider clock)
    {
        try
        {
            var order = (DeployOrder)JsonSerializer.Deserialize(json, ProtocolJson.Default.TaskOrder)!;
            var owner = new FileOwner(Account.Find(order.Owner).User, Account.GroupOf(order.Group));
            if (!ApplianceEndpoint.TryParse(appliance, out ApplianceEndpoint place))
            {
                throw new IOException($"'{appliance}' is no place of an appliance");
            }
            X509Certificate2 authority = NodeConfig.LoadAuthority(config);
            using IdentityKeeper identity = IdentityKeeper.Open(config, authority, Console.Error.WriteLine, clock);
            using var store = new StoreClient(place.Url("https", "/"), Console.Error.WriteLine, clock,
                new ApplianceTls(authority)
                .CreateHandler(identity.Current, reason => Console.Error.WriteLine($"{place} is not our appliance: {reason}")));
            Task FetchAsync(FileStream file) => store.FetchFileAsync("the file", order.File, file, CancellationToken.None);
            Console.WriteLine(order.Unpack ? await UnpackAsync(order.Path, owner, FetchAsync).ConfigureAwait(false)
                : await PutAsync(order.Path, owner, order.Mode, order.File.Length, order.File.Digest, FetchAsync).ConfigureAwait(false));
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    /// <summary>True if a file has just these bytes.</summary>
    public static bool Holds(HeldFile file, long length, Digest digest) =>
        file.Status.Length == length && new Digest(SHA256.HashData(file.Content)) == digest;

    /// <summary>Puts a file in its place, unless it is there.</summary>
    /// <param name="path">The whole path; folders that are missing are made.</param>
    /// <param name="owner">Whom it is to belong to.</param>
    /// <param name="mode">Its permission bits.</param>
    /// <param name="length">Of its content.</param>
    /// <param name="digest">Of its content.</param>
    /// <param name="fetch">Writes its content.</param>
    /// <returns>What was done, in words.</returns>
    public static async Task<string> PutAsync(
        string path, FileOwner owner, int mode, long length, Digest digest, Func<FileStream, Task> fetch)
    {
        using HeldFolder folder = HeldFolder.OpenParent(path, isMade: true, followed: false, out string name);
        // A link to a folder as well: nobody means to have that replaced by a file.
        if (folder.Find(name) is { IsFolder: true } || Directory.Exists(path))
        {
            throw new IOException($"{path} is a folder on this node: name the file in it");
        }
        folder.DropLeftovers(other => other == name);
        using (HeldFile? there = folder.OpenFile(name))
        {
            if (there is not null && Holds(there, length, digest))
            {
                return there.Own(owner, mode) ? $"unchanged but for its owner or mode: {path}" : $"unchanged: {path}";
            }
        }
        using PendingFile file = folder.Create(name);
        await fetch(file.Content).ConfigureAwait(false);
        file.Finish(owner, mode);
        return $"written: {path}";
    }

    /// <summary>Unpacks an archive.</summary>
    /// <param name="path">The folder; made, with those above it, where it is missing.</param>
    /// <param name="owner">Of all that is unpacked.</param>
    /// <param name="fetch">Writes the archive.</param>
    /// <returns>What was done, in words.</returns>
    public static async Task<string> UnpackAsync(string path, FileOwner owner, Func<FileStream, Task> fetch)
    {
        using HeldFolder above = HeldFolder.OpenParent(path, isMade: true, followed: true, out string name);
        bool isThere = above.Find(name) is not null;
        using HeldFolder folder = above.Enter(name) ?? above.Make(name);
        if (!isThere)
        {
            folder.Own(owner, mode: null);
        }
        await using FileStream archive = folder.CreateNameless();
        await fetch(archive).ConfigureAwait(false);
        return new Unpacking(archive, folder, owner).Run();
    }
}

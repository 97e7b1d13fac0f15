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

/// <summary>Whom files belong to: numbers of this machine.</summary>
internal readonly record struct Ownership(uint User, uint Group);

/// <summary>
/// <c>bootstrap-slave --deploy</c>: puts a file, or what is in an archive, in its place, and says for each what became of it. Files appear whole or not at
/// all, and are not written where they are so already.
/// </summary>
internal static class Deployment
{
    private const UnixFileMode OwnersAlone = UnixFileMode.UserRead | UnixFileMode.UserWrite;

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
            var owner = new Ownership(Account.Find(order.Owner).User, Account.GroupOf(order.Group));
            if (!ApplianceEndpoint.TryParse(appliance, out ApplianceEndpoint place))
            {
                throw new IOException($"'{appliance}' is no place of an appliance");
            }
            X509Certificate2 authority = NodeConfig.LoadAuthority(config);
            using IdentityKeeper identity = IdentityKeeper.Open(config, authority, Console.Error.WriteLine, clock);
            using var store = new StoreClient(place.Url("https", "/"), Console.Error.WriteLine, clock,
                new ApplianceTls(authority).CreateHandler(identity.Current, reason => Console.Error.WriteLine($"{place} is not our appliance: {reason}")));
            if (order.Unpack)
            {
                await UnpackAsync(order, owner, store).ConfigureAwait(false);
            }
            else
            {
                await PutAsync(order, owner, store).ConfigureAwait(false);
            }
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    /// <summary>Gives a file that is in its place the owner and mode that it is to have, if it has others.</summary>
    /// <returns>True if that changed something.</returns>
    public static bool Own(string path, Ownership owner, UnixFileMode mode)
    {
        bool isOwners = Linux.OwnerOf(path) == (owner.User, owner.Group), hasMode = File.GetUnixFileMode(path) == mode;
        if (!isOwners)
        {
            Linux.Check(Linux.ChOwn(path, owner.User, owner.Group), $"giving {path} its owner");
        }
        if (!isOwners || !hasMode)
        {
            // Also after another owner: that takes set-user-id bits off.
            File.SetUnixFileMode(path, mode);
        }
        return !isOwners || !hasMode;
    }

    /// <summary>True if there is a regular file with just these bytes.</summary>
    public static bool Holds(string path, long length, Digest digest)
    {
        var file = new FileInfo(path);
        if (!file.Exists || file.LinkTarget is not null || file.Length != length)
        {
            return false;
        }
        using FileStream content = file.OpenRead();
        return new Digest(SHA256.HashData(content)) == digest;
    }

    /// <summary>A new file beside its place, for its owner alone until it is whole. What an earlier attempt left is gone.</summary>
    public static FileStream CreateBeside(string path)
    {
        string temporary = Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.bootstrap-new");
        File.Delete(temporary);
        return new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnersAlone });
    }

    private static async Task PutAsync(DeployOrder order, Ownership owner, StoreClient store)
    {
        var mode = (UnixFileMode)order.Mode;
        if (Directory.Exists(order.Path))
        {
            throw new IOException($"{order.Path} is a folder on this node: name the file in it");
        }
        if (Holds(order.Path, order.File.Length, order.File.Digest))
        {
            Console.WriteLine(Own(order.Path, owner, mode) ? $"unchanged but for its owner or mode: {order.Path}" : $"unchanged: {order.Path}");
            return;
        }
        Directory.CreateDirectory(Path.GetDirectoryName(order.Path)!);
        string temporary = await FetchAsync(order, order.Path, store).ConfigureAwait(false);
        Own(temporary, owner, mode);
        DurableFile.Rename(temporary, order.Path);
        Console.WriteLine($"written: {order.Path}");
    }

    private static async Task UnpackAsync(DeployOrder order, Ownership owner, StoreClient store)
    {
        if (!Directory.Exists(order.Path))
        {
            Directory.CreateDirectory(order.Path);
            Linux.Check(Linux.ChOwn(order.Path, owner.User, owner.Group), $"giving {order.Path} its owner");
        }
        string archive = await FetchAsync(order, Path.Combine(order.Path, "archive"), store).ConfigureAwait(false);
        try
        {
            Console.WriteLine(new Unpacking(archive, order.Path, owner).Run());
        }
        finally
        {
            File.Delete(archive);
        }
    }

    /// <summary>Fetches and verifies it.</summary>
    /// <returns>Where it is: beside its place.</returns>
    private static async Task<string> FetchAsync(DeployOrder order, string path, StoreClient store)
    {
        FileStream created = CreateBeside(path);
        await created.DisposeAsync().ConfigureAwait(false);
        try
        {
            await store.FetchFileAsync("the file", order.File, created.Name, CancellationToken.None).ConfigureAwait(false);
        }
        catch (IOException)
        {
            File.Delete(created.Name);
            throw;
        }
        return created.Name;
    }
}

using System.IO.Compression;
using System.Text;
using Bootstrap.Imaging.Decoding;
using Bootstrap.Imaging.Disks;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Imaging.BootSets;

/// <summary>The kernel modules of one version in an image's root file system, and the part of them that NetInst needs.</summary>
internal sealed class ModuleFolder
{
    private const int MaximumIndexBytes = 16 << 20, MaximumModuleBytes = 64 << 20;

    private readonly Ext4Files _files;
    private readonly string _folder;
    private readonly Dictionary<string, (string File, string[] Needs)> _modules = [];

    private ModuleFolder(Ext4Files files, string folder, string index)
    {
        (_files, _folder) = (files, folder);
        foreach (string line in index.Split('\n'))
        {
            // kernel/fs/ext4/ext4.ko.xz: kernel/fs/jbd2/jbd2.ko.xz …
            if (line.Split(':') is [var file, var needs])
            {
                _modules[NameOf(file)] = (file, needs.Split(' ', StringSplitOptions.RemoveEmptyEntries));
            }
        }
    }

    /// <summary>Opens <c>/lib/modules/VERSION</c>; null where the image has none of that version.</summary>
    public static ModuleFolder? TryOpen(Ext4Files files, string version)
    {
        string folder = $"lib/modules/{version}";
        return files.ReadFile(folder + "/modules.dep", MaximumIndexBytes) is { } index
            ? new ModuleFolder(files, folder, Encoding.UTF8.GetString(index)) : null;
    }

    /// <summary>
    /// Writes the wanted modules and all that they need into an archive as NetInst takes them: decoded, since it cannot, with a modules.dep
    /// and a modules.alias of these alone. A wanted module that this kernel does not have is built in, or is of another kind of board.
    /// </summary>
    public void AddTo(CpioArchive archive, IEnumerable<string> wanted)
    {
        var files = new SortedSet<string>(StringComparer.Ordinal);
        foreach (string module in wanted)
        {
            if (_modules.TryGetValue(Normal(module), out (string File, string[] Needs) found))
            {
                files.UnionWith([found.File, .. found.Needs]);
            }
        }
        foreach (string folder in Folders([.. files.Select(file => $"{_folder}/{file}"), $"{_folder}/modules.dep"]))
        {
            archive.AddDirectory(folder, 0x1ed /* 0755 */);
        }
        const uint Readable = 0x1a4; // 0644
        foreach (string file in files)
        {
            archive.AddFile($"{_folder}/{Plain(file)}", Readable, Decode(file));
        }
        var names = files.Select(NameOf).ToHashSet();
        archive.AddFile($"{_folder}/modules.dep", Readable, Text(files.Select(file =>
            $"{Plain(file)}:{string.Concat(_modules.GetValueOrDefault(NameOf(file)).Needs?.Select(need => ' ' + Plain(need)) ?? [])}")));
        string aliases = Encoding.UTF8.GetString(_files.ReadFile($"{_folder}/modules.alias", MaximumIndexBytes) ?? []);
        archive.AddFile($"{_folder}/modules.alias", Readable, Text(aliases.Split('\n').Where(line =>
            line.Split(' ') is ["alias", _, var module] && names.Contains(Normal(module)))));
    }

    private byte[] Decode(string file)
    {
        byte[] stored = _files.ReadFile($"{_folder}/{file}", MaximumModuleBytes) ??
            throw new ImageException(
                $"the image's {_folder}/modules.dep names {file}, which is not there: run depmod in it and import it again");
        try
        {
            using var source = new MemoryStream(stored);
            using Stream? decoded = Path.GetExtension(file) switch
            {
                ".xz" => new XzStream(source),
                ".zst" => new ZstdSharp.DecompressionStream(source, checkEndOfStream: true),
                ".gz" => new GZipStream(source, CompressionMode.Decompress),
                _ => null,
            };
            return decoded is null ? stored : ReadAll(decoded, file);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or ZstdSharp.ZstdException)
        {
            throw new ImageException($"the image's kernel module {file} cannot be decoded: {e.Message}", e);
        }
    }

    private static byte[] ReadAll(Stream decoded, string file)
    {
        using var whole = new MemoryStream();
        byte[] buffer = new byte[1 << 16];
        for (int read; (read = decoded.Read(buffer, 0, buffer.Length)) > 0;)
        {
            whole.Write(buffer, 0, read);
            if (whole.Length > MaximumModuleBytes)
            {
                throw new ImageException($"the image's kernel module {file} has more than {MaximumModuleBytes} bytes");
            }
        }
        return whole.ToArray();
    }

    /// <summary>Each folder above the files, those above before those below.</summary>
    private static IEnumerable<string> Folders(IEnumerable<string> files)
    {
        var folders = new SortedSet<string>(StringComparer.Ordinal);
        foreach (string file in files)
        {
            for (int slash = file.IndexOf('/'); slash > 0; slash = file.IndexOf('/', slash + 1))
            {
                folders.Add(file[..slash]);
            }
        }
        return folders;
    }

    private static byte[] Text(IEnumerable<string> lines) => Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + '\n')));

    /// <summary>A module's file once it is decoded.</summary>
    private static string Plain(string file) => file.IndexOf(".ko.", StringComparison.Ordinal) is > 0 and var end ? file[..(end + 3)]
        : file;

    private static string NameOf(string file) => Normal(Path.GetFileNameWithoutExtension(Plain(file)));

    /// <summary>The kernel makes no difference between '-' and '_'.</summary>
    private static string Normal(string module) => module.Replace('-', '_');
}

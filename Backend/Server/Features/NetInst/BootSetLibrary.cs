using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Bootstrap.Imaging;
using Bootstrap.Imaging.BootSets;
using Bootstrap.Imaging.Store;
using Bootstrap.Netboot;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Images;
using Bootstrap.Server.Storage;

namespace Bootstrap.Server.Features.NetInst;

/// <summary>
/// The boot sets in <c>boot/sets/NAME</c> of the data folder, and which boards use which. A set appears when it is whole; boards without
/// one boot the kernel and the firmware that came with the program.
/// </summary>
internal sealed class BootSetLibrary : IDisposable
{
    private const string UseKey = "boot-sets", Description = "set.json", Unfinished = ".new-", InitArchive = "init.cpio.zst";

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    private readonly string _folder, _init;
    private readonly byte[] _personal;
    private readonly ImageStore _store;
    private readonly SettingsStore _settings;
    private readonly TimeProvider _clock;
    private readonly ConcurrentDictionary<string, BootSet> _sets = new();
    private readonly ConcurrentDictionary<(string Set, long CreatedAt, string File), RemoteFile> _described = new();
    private readonly SemaphoreSlim _making = new(1);
    private volatile IReadOnlyDictionary<string, string> _use;

    public BootSetLibrary(ApplianceOptions options, IReadOnlyDictionary<string, NetInstFiles> netInst, ImageStore store,
        SettingsStore settings, TimeProvider clock)
    {
        (_store, _settings, _clock) = (store, settings, clock);
        _folder = Path.Combine(options.DataFolder, "boot", "sets");
        _init = Path.Combine(options.ShareFolder, "netinst", "arm64", InitArchive);
        _personal = netInst.TryGetValue("arm64", out NetInstFiles? files) ? files.Personal : [];
        _use = settings.Get<Dictionary<string, string>>(UseKey) ?? [];
        Directory.CreateDirectory(_folder);
        foreach (string folder in Directory.EnumerateDirectories(_folder))
        {
            string description = Path.Combine(folder, Description);
            if (Path.GetFileName(folder).StartsWith(Unfinished, StringComparison.Ordinal))
            {
                Directory.Delete(folder, recursive: true);
            }
            else if (File.Exists(description) && Read(description) is { } set)
            {
                _sets[set.Name] = set;
            }
        }
    }

    private static BootSet? Read(string description)
    {
        try
        {
            return JsonSerializer.Deserialize<BootSet>(File.ReadAllBytes(description), s_json);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{description} is damaged: put the file back, or remove its folder and make the boot set anew",
                e);
        }
    }

    /// <summary>By name.</summary>
    public IReadOnlyList<BootSet> List() => [.. _sets.Values.OrderBy(set => set.Name, StringComparer.Ordinal)];

    /// <summary>Model → name of the set that its boards use; <see cref="PiModel.All"/> for those that are not named.</summary>
    public IReadOnlyDictionary<string, string> Use => _use;

    public BootSet? Find(string name) => _sets.GetValueOrDefault(name);

    /// <summary>The set of a board; null: what came with the program.</summary>
    /// <param name="revision">A Pi's revision code, where it is known.</param>
    public BootSet? For(uint? revision)
    {
        string? model = revision is null ? null : PiModel.Of(revision.Value);
        return (model is not null && _use.TryGetValue(model, out string? name)) || _use.TryGetValue(PiModel.All, out name) ? Find(name)
            : null;
    }

    /// <summary>Takes a set out of an image.</summary>
    /// <param name="image">Of the store.</param>
    /// <param name="name">Not taken yet; a file name.</param>
    /// <exception cref="ImageException">The image holds none, or one that some board could not load; nothing stays.</exception>
    public async Task<BootSet> CreateAsync(ImageView image, string name, CancellationToken cancellation)
    {
        await _making.WaitAsync(cancellation);
        string folder = Path.Combine(_folder, Unfinished + Guid.NewGuid().ToString("n"));
        try
        {
            if (!File.Exists(_init))
            {
                throw new ImageException($"this appliance has no NetInst for arm64 to start from a boot set: {_init} is missing");
            }
            if (_sets.ContainsKey(name))
            {
                throw new ImageException($"there is a boot set '{name}' already: delete it first, or choose another name");
            }
            Directory.CreateDirectory(folder);
            BootSet set = await Task.Run(() => Make(image, name, folder), cancellation);
            await File.WriteAllBytesAsync(Path.Combine(folder, Description), JsonSerializer.SerializeToUtf8Bytes(set, s_json),
                cancellation);
            Directory.Move(folder, Path.Combine(_folder, name));
            _sets[name] = set;
            return set;
        }
        finally
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
            _making.Release();
        }
    }

    /// <summary>Deletes a set that nothing uses; null when done, else why not.</summary>
    public string? Delete(string name)
    {
        lock (_sets)
        {
            if (_use.FirstOrDefault(use => use.Value == name) is { Key: { } model })
            {
                return $"Boards ({model}) use the boot set '{name}': let them use another one first.";
            }
            _sets.TryRemove(name, out _);
            // Whoever copies it meanwhile finds all of it, or nothing.
            string leaving = Path.Combine(_folder, Unfinished + Guid.NewGuid().ToString("n"));
            Directory.Move(Path.Combine(_folder, name), leaving);
            Directory.Delete(leaving, recursive: true);
            return null;
        }
    }

    /// <summary>Chooses the set of a model's boards, from their next boot on.</summary>
    /// <param name="name">Null: what came with the program.</param>
    public void Choose(string model, string? name)
    {
        lock (_sets)
        {
            var use = new Dictionary<string, string>(_use);
            if (name is null)
            {
                use.Remove(model);
            }
            else
            {
                use[model] = name;
            }
            _settings.Set(UseKey, use);
            _use = use;
        }
    }

    /// <summary>Opens a file of a set; null if there is none. An initramfs is the image's modules, NetInst, and what is this appliance's
    /// own.</summary>
    public BootFile? Open(BootSet set, string name)
    {
        string folder = Path.Combine(_folder, set.Name);
        return set.Kernels.FirstOrDefault(kernel => kernel.Initramfs == name) is { } found
            ? new JoinedBootFile([new DiskBootFile(Path.Combine(folder, found.Modules)), new DiskBootFile(_init),
                new MemoryBootFile(_personal)], 512)
            : DiskBootFile.OpenBelow(folder, name);
    }

    /// <summary>
    /// What a running board fetches to start NetInst from its own disk: the kernel of its set, for a board may be too new for the one that
    /// came with the program. Null: that one.
    /// </summary>
    public (RemoteFile Kernel, RemoteFile Initramfs)? Staged(uint revision)
    {
        if (For(revision) is not { } set)
        {
            return null;
        }
        BootKernel kernel = set.Kernels.FirstOrDefault(k => k.Section == PiModel.Of(revision)) ?? set.Kernels[0];
        return (Describe(set, kernel.File), Describe(set, kernel.Initramfs));
    }

    /// <summary>The files that a set's boards may ask for, but those that are written for each.</summary>
    public IReadOnlyList<string> FilesOf(BootSet set)
    {
        string folder = Path.Combine(_folder, set.Name);
        return
        [
            .. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(folder, file))
                .Where(file => file != Description && set.Kernels.All(kernel => kernel.Modules != file)).Order(StringComparer.Ordinal),
            .. set.Kernels.Select(kernel => kernel.Initramfs),
        ];
    }

    public void Dispose() => _making.Dispose();

    /// <summary>The files of a set never change: each is read once.</summary>
    private RemoteFile Describe(BootSet set, string name) => _described.GetOrAdd((set.Name, set.CreatedAt, name), _ =>
    {
        using BootFile file = Open(set, name)
            ?? throw new IOException($"the boot set '{set.Name}' has lost its {name}: delete it and make it again");
        using Stream stream = file.AsStream();
        return new RemoteFile($"/boot/{set.Name}/{name}", new Digest(SHA256.HashData(stream)), file.Length);
    });

    private BootSet Make(ImageView image, string name, string folder)
    {
        ImageManifest manifest = _store.ReadImage(image.Digest) ?? throw new ImageException($"the image {image.Name} was removed");
        using var stored = new StoredImage(_store, manifest);
        long initBytes = ((new FileInfo(_init).Length + 511) & ~511L) + _personal.Length;
        return BootSetMaker.Make(stored.Raw, (image.Name, image.Digest.ToString()), name, folder, initBytes,
            _clock.GetUtcNow().ToUnixTimeMilliseconds());
    }
}

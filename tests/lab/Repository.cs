using System.Runtime.InteropServices;

namespace Bootstrap.Lab.Tests;

/// <summary>What `make` has built, and where results go.</summary>
internal static class Repository
{
    private static readonly string s_root = FindRoot();

    /// <summary>Where Bootstrap.sln is.</summary>
    public static string Root => s_root;

    /// <summary>The appliance.</summary>
    /// <exception cref="RackException">It was not built.</exception>
    public static string Program => Built("bootstrap");

    /// <summary>The Slave for this machine.</summary>
    /// <exception cref="RackException">It was not built.</exception>
    public static string Slave => Built(RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "native/arm64/slave/bootstrap-slave"
        : "native/amd64/slave/bootstrap-slave");

    private static string Built(string name)
    {
        string program = Path.Combine(s_root, "build", name);
        return File.Exists(program) ? program : throw new RackException($"{program} is missing: run `make build`");
    }

    /// <summary>An empty folder for what a test leaves to be looked at.</summary>
    public static string MakeArtefactFolder(string test)
    {
        string folder = Path.Combine(s_root, "build", "lab", test);
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
        return Directory.CreateDirectory(folder).FullName;
    }

    /// <summary>Builds an operating system image, or takes the one that was built before.</summary>
    /// <param name="name">Such as "demo-arm64".</param>
    /// <returns>The raw image; beside it stands the same with ".zst".</returns>
    public static async Task<string> BuildImageAsync(string name)
    {
        string folder = await Tool.RunAsync(Path.Combine(s_root, "images", "build"), "os-" + name);
        return Path.Combine(folder.Trim(), name + ".img");
    }

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Bootstrap.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }
        return folder ?? throw new RackException($"{AppContext.BaseDirectory} is not below Bootstrap.sln");
    }
}

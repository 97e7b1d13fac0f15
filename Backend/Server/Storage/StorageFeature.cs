using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bootstrap.Server.Storage;

internal static partial class StorageFeature
{
    /// <summary>The data folder and what is in it; the folder is given up last of all.</summary>
    public static IServiceCollection AddStorage(
        this IServiceCollection services, DataFolder folder, Database database, SettingsStore settings, TimeProvider clock) => services
        .AddSingleton(_ => folder).AddSingleton(_ => database).AddSingleton(settings)
        .AddSingleton(new DataDisk(folder.FullPath, database.Probe, clock))
        // First of all, so that it is given up last.
        .AtStart(s => TellOfMode(s.GetRequiredService<DataFolder>(), s.GetRequiredService<ILoggerFactory>()));

    private static void TellOfMode(DataFolder folder, ILoggerFactory loggers)
    {
        if (folder.WasOpen is { } mode)
        {
            LogNarrowed(loggers.CreateLogger(nameof(DataFolder)), folder.FullPath, Convert.ToString((int)mode, 8));
        }
    }

    [LoggerMessage(LogLevel.Warning, "The data folder {Folder} was open to others (mode {Mode}): it is its owner's alone now")]
    private static partial void LogNarrowed(ILogger logger, string folder, string mode);
}

using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Events;
using Bootstrap.Server.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bootstrap.Server.Hosting;

/// <summary>Tells of a disk that is full or fails.</summary>
internal static partial class DiskNews
{
    /// <summary>A disk that is full or fails is on the page, one line of the log, and in the audit log as soon as that can be
    /// written.</summary>
    public static IServiceCollection AddDiskNews(this IServiceCollection services) => services.AtStart(s =>
    {
        DataDisk disk = s.GetRequiredService<DataDisk>();
        ILogger logger = s.GetRequiredService<ILogger<DataDisk>>();
        string last = "";
        disk.Changed += condition =>
        {
            s.GetRequiredService<EventHub>().Publish("disk", new { disk = condition });
            if (condition != DiskCondition.Good)
            {
                LogDisk(logger, last = disk.Sentence);
                return;
            }
            LogDiskGood(logger);
            disk.Try(() => s.GetRequiredService<AuditLog>().Add("appliance", "The disk works again", "", last));
        };
    });

    [LoggerMessage(LogLevel.Error, "{Sentence}")]
    private static partial void LogDisk(ILogger logger, string sentence);

    [LoggerMessage(LogLevel.Information, "The appliance's disk works again")]
    private static partial void LogDiskGood(ILogger logger);
}

using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Features.References;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Features.Schedules;

/// <summary>Jobs at their times.</summary>
internal static class ScheduleFeature
{
    public static IServiceCollection AddSchedules(this IServiceCollection services) => services
        .AddSingleton<ScheduleStore>().AddSingleton<ScheduleRunner>().AddHostedService<JobClock>()
        .AddSingleton<IQuietTimes, OpenWindows>().AddSingleton<IReferences, ScheduleReferences>();

    public static void MapSchedules(this IEndpointRouteBuilder app)
    {
        RouteGroupBuilder api = app.Api();
        ScheduleEndpoints.Map(api);
        ScheduleCalendar.Map(api);
    }
}

using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Jobs.Api;
using Bootstrap.Server.Features.Jobs.Engine;
using Bootstrap.Server.Features.Jobs.Kept;
using Bootstrap.Server.Features.Jobs.Kinds;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Features.References;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Features.Jobs;

/// <summary>Jobs, and the engine that brings their tasks to the nodes.</summary>
internal static class JobFeature
{
    public static IServiceCollection AddJobs(this IServiceCollection services, ApplianceOptions options) => services
        .AddSingleton<ProgressBoard>().AddSingleton<StallWatch>().AddSingleton<JobSources>().AddSingleton<JobEngine>()
        .AddSingleton<NewBoards>().AddSingleton<BenchmarkPeers>().AddSingleton<ILinkFeature>(s => s.GetRequiredService<BenchmarkPeers>())
        .AddSingleton(s => new KeptArchives(s.GetRequiredService<Database>(), Path.Combine(options.DataFolder, "kept"),
            () => KeptArchives.RoomOf(options.DataFolder), s.GetRequiredService<TimeProvider>()))
        .AddSingleton<IQuietTimes, RunningTasks>().AddSingleton<INodeTasks, OpenTasks>().AddSingleton<IReferences, JobReferences>()
        .AtStart(s => s.GetRequiredService<KeptArchives>().RemoveLeftovers());

    public static void MapJobs(this IEndpointRouteBuilder app)
    {
        RouteGroupBuilder api = app.Api();
        JobEndpoints.Map(api);
        JobControlEndpoints.Map(api);
        TaskPhases.Map(api);
        KeptEndpoints.Map(app.Link());
    }
}

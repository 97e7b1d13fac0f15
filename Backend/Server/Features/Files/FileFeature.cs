using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Features.References;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Features.Files;

/// <summary>Files that jobs put on nodes.</summary>
internal static class FileFeature
{
    public static IServiceCollection AddFiles(this IServiceCollection services, ApplianceOptions options) => services
        .AddSingleton(s => new FileCatalogue(s.GetRequiredService<Database>(), Path.Combine(options.DataFolder, "files"),
            s.GetServices<IReferences>(), s.GetRequiredService<TimeProvider>()))
        .AtStart(s => s.GetRequiredService<FileCatalogue>().RemoveLeftovers());

    public static void MapFiles(this IEndpointRouteBuilder app)
    {
        FileEndpoints.Map(app.Api());
        FileEndpoints.MapStored(app.NodesOnly());
    }
}

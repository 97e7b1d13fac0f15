using Bootstrap.Imaging.Store;
using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Features.Trust;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Features.Images;

/// <summary>Operating system images, and the chunks that they are made of.</summary>
internal static class ImageFeature
{
    public static IServiceCollection AddImages(this IServiceCollection services, ApplianceOptions options) => services
        .AddSingleton(new ImageStore(Path.Combine(options.DataFolder, "store")))
        .AddSingleton<ChunkInspector>(s => new(s.GetRequiredService<ImageStore>(), s.GetRequiredService<ImageCatalogue>().ReportDamage))
        .AddSingleton(s => new ImageSigner(s.GetRequiredService<CertificateAuthority>().IssueImageSigner()))
        .AddSingleton<ImageImporter>().AddSingleton<ImageCatalogue>().AddSingleton<ImageUse>()
        .AddSingleton<IImageNames, ImageNames>()
        .AtStart(s => s.GetRequiredService<ImageCatalogue>().RemoveLeftovers());

    public static void MapImages(this IEndpointRouteBuilder app)
    {
        ImageEndpoints.Map(app.Api());
        ImageEndpoints.MapStore(app.Api());
        ImageEndpoints.MapStore(app.Plain(), publicOnly: true);
        ImageEndpoints.MapStore(app.NodesOnly());
    }
}

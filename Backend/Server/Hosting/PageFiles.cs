using Bootstrap.Protocol;
using Bootstrap.Server.Features.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.FileProviders;

namespace Bootstrap.Server.Hosting;

/// <summary>Serves the web page, where it came with the program.</summary>
internal static class PageFiles
{
    public static void MapPage(this WebApplication app, ApplianceOptions options)
    {
        string folder = Path.Combine(options.ShareFolder, "web");
        if (!Directory.Exists(folder))
        {
            return;
        }
        var files = new PhysicalFileProvider(folder);
        var page = new StaticFileOptions
        {
            FileProvider = files,
            // The page's parts have their digest in their names; the page itself must always be the newest.
            OnPrepareResponse = c => c.Context.Response.Headers.CacheControl =
                c.Context.Request.Path.StartsWithSegments("/assets") ? "public, max-age=31536000, immutable" : "no-cache",
        };
        app.Web().MapFallbackToFile("index.html", page).Compresses();
        // The page itself comes from the fallback's endpoint, its parts from the static files; both carry these headers.
        app.UseWhen(c => Listeners.CameBy(c, Listener.Web), web =>
        {
            web.Use((context, next) =>
            {
                context.Response.Headers.ContentSecurityPolicy =
                    // Nodes tell their status themselves.
                    $"default-src 'self'; connect-src 'self' wss://*:{ServicePorts.Status}; style-src 'self' 'unsafe-inline'; " +
                    "frame-ancestors 'none'";
                context.Response.Headers.XContentTypeOptions = "nosniff";
                context.Response.Headers["Referrer-Policy"] = "no-referrer";
                return next(context);
            });
            web.UseWhen(c => c.GetEndpoint() is null, parts => parts.UseResponseCompression().UseStaticFiles(page));
        });
    }
}

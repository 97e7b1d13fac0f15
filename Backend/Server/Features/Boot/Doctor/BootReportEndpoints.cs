using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Boot.Doctor;

/// <summary><c>/boot/boards</c>: who was seen booting, how it went, and why. A board is named by MAC, serial number, node id or node
/// name.</summary>
internal static class BootReportEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/boot/boards", (BootReports reports) => reports.List()).Compresses();
        api.MapGet("/boot/boards/{board}/conversations", (string board, BootReports reports) =>
            reports.Find(board) is { } found ? Results.Ok(reports.Conversations(found)) : Unknown(board));
        api.MapGet("/boot/boards/{board}/explain", (string board, BootReports reports) =>
            reports.Find(board) is { } found ? Results.Ok(reports.Explain(found)) : Unknown(board));
    }

    private static IResult Unknown(string board) => Problems.NotFound(
        $"No board '{board}' was seen booting from the network here. Name it by MAC address, serial number (8 hex digits) or node; see " +
            "that it is on this appliance's wire.");
}

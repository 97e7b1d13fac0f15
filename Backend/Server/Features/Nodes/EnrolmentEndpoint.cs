using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Jobs;
using Bootstrap.Server.Features.Monitoring;
using Bootstrap.Server.Features.Trust;
using Bootstrap.Server.Storage;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>
/// Boards get their certificates. Whoever was started from this appliance's boot files has the join token; that makes it a node with
/// a name, not one that anything is given to. A name that was taken already is not handed to another key unless an installation of that
/// very node is under way, or a person says so: the boot files can be read by anybody on the wire.
/// </summary>
internal static class EnrolmentEndpoint
{
    private const int RetrySeconds = 10;

    public static void MapEnrolment(this IEndpointRouteBuilder link, string joinToken) => link.MapPost(EnrolRequest.Path, (
        HttpContext context, Database database, CertificateAuthority authority, NodeDirectory nodes, NoiseCounter noise, TimeProvider clock) =>
        EnrolAsync(context, database, authority, nodes, noise, clock, Encoding.UTF8.GetBytes(joinToken)));

    private static async Task<IResult> EnrolAsync(
        HttpContext context, Database database, CertificateAuthority authority, NodeDirectory nodes, NoiseCounter noise, TimeProvider clock,
        byte[] joinToken)
    {
        EnrolRequest? request = await ReadAsync(context);
        if (request is null)
        {
            noise.Count("enrolment");
            return Results.Problem("The body is not an enrolment request.", statusCode: StatusCodes.Status400BadRequest);
        }
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(request.JoinToken), joinToken))
        {
            return Results.Problem("The join token is not this appliance's: start the board from this appliance's boot files.",
                statusCode: StatusCodes.Status403Forbidden);
        }
        Inventory inventory = request.Inventory;
        if (authority.IssueNode(inventory.Id, request.CertificateRequest) is not { } certificate)
        {
            return Results.Problem("The certificate request is not a sound PKCS #10 request for an ECDSA P-256 key.",
                statusCode: StatusCodes.Status400BadRequest);
        }
        using (certificate)
        {
            long now = clock.GetUtcNow().ToUnixTimeMilliseconds();
            bool granted = database.Write(c => Grant(c, inventory, certificate, now));
            nodes.Publish(inventory.Id);
            return Json(granted
                ? new EnrolResponse(certificate.RawData, "", 0)
                : new EnrolResponse([], $"a board with another key is known as {inventory.Id}: approve this one on the appliance's page", RetrySeconds));
        }
    }

    private static async Task<EnrolRequest?> ReadAsync(HttpContext context)
    {
        try
        {
            return await JsonSerializer.DeserializeAsync(context.Request.Body, ProtocolJson.Default.EnrolRequest, context.RequestAborted);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or BadHttpRequestException)
        {
            return null;
        }
    }

    private static bool Grant(SqliteConnection c, Inventory inventory, X509Certificate2 certificate, long now)
    {
        string id = inventory.Id.ToString();
        NodeRow? known = NodeRow.Find(c, inventory.Id);
        bool installing = TaskRow.Open(c, inventory.Id).Any(t => t.Kind == "install");
        bool mayChangeKey = known is null or { Lifecycle: Lifecycle.New } or { CertificateSerial: null } || installing || known.NewKey == NodeRow.KeyAllowed;
        if (!mayChangeKey)
        {
            c.Execute("UPDATE nodes SET new_key = @waits WHERE id = @id", new { id, waits = NodeRow.KeyWaits });
            return false;
        }
        c.Execute("""
            INSERT INTO nodes (id, name, lifecycle, inventory, first_seen, last_seen, certificate_serial)
            VALUES (@id, @name, @lifecycle, @inventory, @now, @now, @serial)
            ON CONFLICT (id) DO UPDATE SET certificate_serial = excluded.certificate_serial, new_key = 0,
                previous_serial = iif(@keepsPrevious, coalesce(previous_serial, certificate_serial), NULL)
            """,
            new
            {
                id,
                name = known?.Name ?? NodeNames.Propose(c, inventory.Id),
                lifecycle = nameof(Lifecycle.New),
                inventory = JsonSerializer.Serialize(inventory, ProtocolJson.Default.Inventory),
                now,
                serial = certificate.SerialNumber,
                // A person who approves a new key takes the name away from the old one; an installation does not until it has ended.
                keepsPrevious = installing && known?.NewKey != NodeRow.KeyAllowed,
            });
        return true;
    }

    private static IResult Json(EnrolResponse response) =>
        Results.Bytes(JsonSerializer.SerializeToUtf8Bytes(response, ProtocolJson.Default.EnrolResponse), "application/json");
}
